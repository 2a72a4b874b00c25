// What a plugin says of itself and of its kind. A definition is a plain value; `serve.ts` makes a component's exports of it,
// `testing` calls it natively. The type of the configuration follows from its schema.

import type {
    Acceptance,
    Advance,
    Alert,
    Decision,
    HyperParameter,
    InputShape,
    Outcome,
    Requirements,
    Rollout,
    Target,
    TrainingPlan,
} from "./contract.js";
import type { Frame } from "./data/frame.js";
import type { Windows } from "./data/windows.js";
import type { ConfigOf, Schema } from "./schema.js";

/** What every plugin says of itself. */
export interface Described<S extends Schema> {
    /** The name it is called by; equals `name` in `plugin.toml`. Lower-case letters, digits and `-`. */
    name: string;
    /** Semantic version; equals `version` in `plugin.toml`. */
    version: string;
    /** One sentence for lists. */
    summary: string;
    /**
     * JSON Schema (2020-12) of the configuration, with a `default` and a `description` for each property. The host fills in
     * the defaults and refuses what the schema refuses before the plugin sees it. `NO_SETTINGS` for none.
     */
    configSchema: S;
    /**
     * Refuses configurations that pass the schema and are still wrong, by throwing `invalidConfig`. Called before every
     * function that takes a configuration.
     */
    check?(config: ConfigOf<S>): void;
    /** Pairs a newer host may understand and others ignore. */
    extra?: readonly (readonly [string, string])[];
}

/** A test of current data against a baseline made from reference data. */
export interface DriftTest<S extends Schema> extends Described<S> {
    /** What the test can be given; the host checks it before calling. `univariate(30)` unless it says otherwise. */
    accepts?: Acceptance;
    /** Condenses reference data to bytes the host stores with the model version. Called once, at training. */
    baseline(reference: Frame, config: ConfigOf<S>): Uint8Array;
    /** Compares current data with a baseline this plugin made. The same arguments must give the same outcome. */
    test(baseline: Uint8Array, current: Frame, config: ConfigOf<S>): Outcome;
}

/** A detector that sees one value after another. */
export interface DriftDetector<S extends Schema> extends Described<S> {
    /** The state before any value. */
    start(config: ConfigOf<S>): Uint8Array;
    /** Takes some values in order. Splitting a list over several calls must give the same events. */
    update(state: Uint8Array, values: Float64Array, config: ConfigOf<S>): Advance;
}

/** A handler of alerts. */
export interface AlertHandler<S extends Schema> extends Described<S> {
    /** Delivers one alert. The host tries again later, with the same `idempotencyKey`, on `transient` only. */
    handle(alert: Alert, config: ConfigOf<S>): void;
}

/** A deployment strategy. */
export interface DeploymentStrategy<S extends Schema> extends Described<S> {
    /** Decides the next action; the host carries it out and calls again. The same arguments must give the same decision. */
    next(rollout: Rollout, config: ConfigOf<S>): Decision;
}

/** A model type: a network or an ensemble the host trains, or with `fit` and `predict` one that fits itself. */
export interface ModelType<S extends Schema> extends Described<S> {
    /** What the model needs under a configuration. */
    requires(config: ConfigOf<S>): Requirements;
    /** What to train under a configuration. Pure. */
    plan(config: ConfigOf<S>, input: InputShape, target: Target): TrainingPlan;
    /** Settings worth tuning, with their ranges. */
    searchSpace?: readonly HyperParameter[];
}

/** A model type that fits itself. */
export interface Estimator<S extends Schema> extends ModelType<S> {
    /** Learns from `train`; `validation` comes later in time and may steer stopping. Returns the state `predict` reads. */
    fit(train: Windows, validation: Windows, config: ConfigOf<S>): Uint8Array;
    /** Predicts each sample of `inputs`, in order, in the target's unit (for a binary task a probability). */
    predict(state: Uint8Array, inputs: Windows, config: ConfigOf<S>): ArrayLike<number>;
}

/** A definition with its world: what the entry file of a plugin exports by default. */
export type Plugin<S extends Schema = Schema> =
    | (DriftTest<S> & { world: "drift-test" })
    | (DriftDetector<S> & { world: "drift-detector" })
    | (AlertHandler<S> & { world: "alert-handler" })
    | (DeploymentStrategy<S> & { world: "deployment-strategy" })
    | (ModelType<S> & { world: "model" })
    | (Estimator<S> & { world: "guest-model" });

/** A plugin whatever its configuration, which is an argument: no narrower type takes every plugin. */
export type AnyPlugin = Plugin<any>;

/** A two-sample drift test. */
export function driftTest<const S extends Schema>(definition: DriftTest<S>): DriftTest<S> & { world: "drift-test" } {
    return { ...definition, world: "drift-test" };
}

/** A streaming drift detector. */
export function driftDetector<const S extends Schema>(definition: DriftDetector<S>): DriftDetector<S> & { world: "drift-detector" } {
    return { ...definition, world: "drift-detector" };
}

/** An alert handler. */
export function alertHandler<const S extends Schema>(definition: AlertHandler<S>): AlertHandler<S> & { world: "alert-handler" } {
    return { ...definition, world: "alert-handler" };
}

/** A deployment strategy. */
export function deploymentStrategy<const S extends Schema>(
    definition: DeploymentStrategy<S>,
): DeploymentStrategy<S> & { world: "deployment-strategy" } {
    return { ...definition, world: "deployment-strategy" };
}

/** A model type the host trains: `plan` returns `network(...)` or `ensemble(...)`. */
export function model<const S extends Schema>(definition: ModelType<S>): ModelType<S> & { world: "model" } {
    return { ...definition, world: "model" };
}

/** A model type that fits itself: `plan` returns `guest(...)`. */
export function guestModel<const S extends Schema>(definition: Estimator<S>): Estimator<S> & { world: "guest-model" } {
    return { ...definition, world: "guest-model" };
}

/** One numeric column at a time, with at least `leastRows` present values on either side. */
export const univariate = (leastRows: number): Acceptance => ({ scope: "univariate", kinds: ["numeric"], leastRows });

/** All numeric columns together, with at least `leastRows` present values on either side. */
export const multivariate = (leastRows: number): Acceptance => ({ scope: "multivariate", kinds: ["numeric"], leastRows });
