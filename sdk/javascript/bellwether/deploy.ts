// What a deployment strategy may ask for: a function per action of the contract.

import type { Action, Decision } from "./contract.js";

/** Sets the share of predictions the candidate answers and the share it is shown without answering. */
export const setWeight = (share: number, shadow = 0): Action => ({ tag: "set-weight", val: { share, shadow } });

/** Sets how many of an endpoint's replicas run the candidate. */
export const setReplicas = (updated: number, total: number): Action => ({ tag: "set-replicas", val: { updated, total } });

/** Waits this long. */
export const pauseFor = (seconds: number): Action => ({ tag: "pause", val: { tag: "seconds", val: seconds } });

/** Waits for a person. */
export const pauseUntilApproved = (): Action => ({ tag: "pause", val: { tag: "until-approved" } });

/** Runs the host's health check of the candidate; its result is in the next call. */
export const checkHealth = (): Action => ({ tag: "check-health" });

/** Measures this long, in seconds, with at least so many requests for a verdict; the result is in the next call. */
export const analyse = (seconds: number, leastRequests: number, metrics: readonly string[] = []): Action => ({
    tag: "analyse",
    val: { metrics: [...metrics], seconds, leastRequests },
});

/** The candidate becomes the stable version. Ends the rollout. */
export const promote = (): Action => ({ tag: "promote" });

/** Back to the stable version; the same reason is given to people and kept in the history. Ends the rollout. */
export const rollBack = (reason: string): Decision => ({ action: { tag: "rollback", val: reason }, reason });
