// How a long fit tells the host where it is.

import { part } from "./host.js";

/**
 * Reports that `done` of `total` steps are finished, with the losses so far (NaN when there is none). False: return what
 * you have now, for the job was cancelled or its time is up.
 */
export function report(done: number, total: number, trainLoss = Number.NaN, validationLoss = Number.NaN): boolean {
    return part("progress").report(done, total, trainLoss, validationLoss) === "proceed";
}
