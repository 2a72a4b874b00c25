// The records of the contract in `wit/`, as a component gets and gives them: records are objects with camelCase names,
// enums are texts, variants are `{ tag, val }`, an option may be null. Meaning and limits of each stand in `wit/`; here are
// the shapes only. Networks have a file of their own, `network/contract.ts`.

import type { Network } from "./network/contract.js";

/** JSON, as configurations and `detail` carry it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json | undefined };

// ---- data ----

/** What the numbers in a column mean; NaN is a missing value in both. */
export type ColumnKind = "numeric" | "categorical";

/** Sums over the present values of a column. */
export interface Moments {
    count: number;
    missing: number;
    mean: number;
    /** Population variance: divides by `count`. */
    variance: number;
    minimum: number;
    maximum: number;
}

/** What the host wants after a report of progress. */
export type Wish = "proceed" | "stop";

// ---- drift ----

/** What a drift test can be given. */
export interface Acceptance {
    scope: "univariate" | "multivariate";
    kinds: readonly ColumnKind[];
    leastRows: number;
}

/** The verdict of a drift test. All numbers must be finite. */
export interface Outcome {
    /** The test statistic, in the test's own unit. */
    statistic: number;
    /** Probability of a statistic at least this extreme without drift; left out for plain distances. */
    pValue?: number | null;
    /** How far the data moved: larger is further, `threshold` is the line. */
    score: number;
    threshold: number;
    drifted: boolean;
    /** Present values on the reference side. */
    referenceCount: number;
    /** Present values on the current side. */
    currentCount: number;
    /** What a chart needs, an object. */
    detail?: Json;
}

/** Something happened at one value. */
export interface DriftEvent {
    /** Place of the value in the list given to `update`, from 0. */
    index: number;
    severity: "warning" | "drift";
    statistic: number;
}

/** A detector after some values. */
export interface Advance {
    state: Uint8Array;
    events: DriftEvent[];
}

// ---- alert ----

/** One alert, as it stands now. */
export interface Alert {
    /** Stays the same over retries of one delivery: receivers use it to drop repeats. */
    idempotencyKey: string;
    id: string;
    condition: string;
    severity: "info" | "warning" | "critical";
    phase: "firing" | "resolved";
    /** One sentence for a person. */
    summary: string;
    modelId: string | null;
    symbol: string | null;
    /** Milliseconds since 1970-01-01T00:00:00Z. */
    startedAtMs: number;
    labels: ReadonlyMap<string, string>;
    /** Measurements behind it. */
    detail: { readonly [name: string]: Json | undefined };
}

// ---- deploy ----

/** One version's measurements since the current step began. No requests: no data, which is not a pass. */
export interface Measurement {
    requests: number;
    errors: number;
    latencyP50Ms: number | null;
    latencyP99Ms: number | null;
    /** (name, value, outcomes behind it). */
    metrics: [string, number, number][];
}

/** One side of a rollout. */
export interface Side {
    modelId: string;
    /** Share of predictions it answers, 0 to 1. */
    share: number;
    /** Share of predictions it is shown without answering, 0 to 1. */
    shadow: number;
    measured: Measurement;
}

/** The host's own check of the candidate. */
export interface Health {
    passed: boolean;
    probes: number;
    slowestMs: number;
    reasons: string[];
}

/** An analysis the host ran because the strategy asked; `passed` is null when there was too little data. */
export interface Analysis {
    passed: boolean | null;
    reasons: string[];
}

/** What happens next. `deploy.ts` has a function for each. */
export type Action =
    | { tag: "set-weight"; val: { share: number; shadow: number } }
    | { tag: "set-replicas"; val: { updated: number; total: number } }
    | { tag: "pause"; val: { tag: "seconds"; val: number } | { tag: "until-approved" } }
    | { tag: "check-health" }
    | { tag: "analyse"; val: { metrics: string[]; seconds: number; leastRequests: number } }
    | { tag: "promote" }
    | { tag: "rollback"; val: string };

/** A step that was taken. */
export interface Step {
    number: number;
    action: Action;
    secondsAgo: number;
}

/** Everything a strategy may know. */
export interface Rollout {
    id: string;
    endpoint: string;
    /** The version that serves now; null on a first deployment. */
    stable: Side | null;
    candidate: Side;
    /** Oldest first. */
    steps: Step[];
    elapsedSeconds: number;
    /** The controller's time of this decision, milliseconds since 1970-01-01T00:00:00Z. */
    nowMs: number;
    health: Health | null;
    analysis: Analysis | null;
    approved: boolean;
    /** What the last decision remembered; empty at first. */
    state: Uint8Array;
}

/** What to do, why, and what to remember. */
export interface Decision {
    action: Action;
    reason: string;
    /** At most 64 KiB. */
    state?: Uint8Array;
}

// ---- model ----

/** What the model will be shown. */
export interface InputShape {
    sequenceLength: number;
    features: string[];
}

/** Kind of question: a real number, or a probability. */
export type Task = "regression" | "binary";

/** What is predicted. */
export interface Target {
    /** `return`, `direction`, `price` or `realized-volatility`. */
    kind: string;
    /** Bars ahead. */
    horizon: number;
    task: Task;
}

/** One model of an ensemble. */
export interface Member {
    modelType: string;
    /** Its configuration. */
    config: Json;
    weight: number;
}

/** An ensemble of at least two members. */
export interface Ensemble {
    members: Member[];
    combine: "mean" | "weighted" | "median" | "stacking";
}

/** What the host is to train; made by `network`, `ensemble` and `guest`. */
export type TrainingPlan =
    | { tag: "network"; val: Network }
    | { tag: "members"; val: Ensemble }
    | { tag: "guest"; val: { scaled: boolean; lastStepOnly: boolean } };

/** What a model needs before it can be planned. */
export interface Requirements {
    features: readonly string[];
    sequenceLength: number;
    leastRows: number;
}

/** The values a setting may take: `[low, high, by ratio]`, or one of some. */
export type Range =
    | { tag: "whole"; val: [number, number, boolean] }
    | { tag: "real"; val: [number, number, boolean] }
    | { tag: "choice"; val: Json[] };

/** A setting worth tuning. */
export interface HyperParameter {
    name: string;
    values: Range;
}
