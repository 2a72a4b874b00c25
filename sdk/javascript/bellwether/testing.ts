// Stands in for the host in a plugin's own tests, natively: what a test imports as `bellwether/testing`. Importing it
// connects the SDK to a host in memory; `sh test.sh` runs the tests without WebAssembly.

import type { ColumnKind } from "./contract.js";
import { Column, Frame } from "./data/frame.js";
import { Windows } from "./data/windows.js";
import { MemoryColumn, MemoryFrame, MemoryWindows } from "./testing/memory.js";

export { type Case, cases, checkCase } from "./testing/cases.js";
export {
    type Answer,
    failure,
    type Line,
    lines,
    requests,
    reset,
    respondWith,
    type Sent,
    seed,
    setNowMs,
    setSecret,
    stopAfter,
} from "./testing/host.js";
export { checkSearchSpace, network, outline, plan } from "./testing/model.js";
export { alert, rollout, side } from "./testing/samples.js";
export { checkSchema, config } from "./testing/schema.js";
export { special } from "./testing/special.js";

/** A column. */
export const column = (name: string, values: ArrayLike<number>, kind: ColumnKind = "numeric"): Column =>
    new Column(new MemoryColumn(name, values, kind));

/** A frame of numeric columns, by name. Throws when they differ in length. */
export function frame(columns: { readonly [name: string]: ArrayLike<number> }): Frame {
    const lengths = new Set(Object.values(columns).map((values) => values.length));
    if (lengths.size > 1) throw new RangeError("the columns of a frame have one length");
    return new Frame(new MemoryFrame(Object.entries(columns).map(([name, values]) => new MemoryColumn(name, values))));
}

/** Windows: `values` row-major [sample, step, feature], and one target per sample (none when predicting). */
export function windows(features: readonly string[], steps: number, values: ArrayLike<number>, targets: ArrayLike<number> = []): Windows {
    const width = features.length * steps;
    if (!(width > 0 && values.length % width === 0)) throw new RangeError(`${values.length} numbers are no windows of ${width}`);
    if (targets.length > 0 && targets.length !== values.length / width) throw new RangeError("one target per sample");
    return new Windows(new MemoryWindows(features, steps, values, targets));
}
