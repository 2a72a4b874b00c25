// Windows as rows of a table, for model types that are no networks: which numbers of a window a row holds, and the checks
// every such model needs of its features and targets. Rows are handed out one by one, so a model decides what it holds.

import type { Task } from "../contract.js";
import type { Chunk, Windows } from "../data/windows.js";
import { invalidInput } from "../errors.js";

/**
 * Which numbers of a window [steps, features] make its row: those of the last step; a summary (per feature its last value,
 * then mean, standard deviation, least, most and change over the window); or every number, step by step.
 */
export type RowShape = "last-step" | "summary" | "flatten";

/** Numbers per feature of a summary. */
const SUMMARY = ["", " mean", " deviation", " least", " most", " change"];

/** Names of a row's numbers: `body`, in a summary also `body mean` and so on, flattened `body -3` for three steps before the last. */
export function rowNames(shape: RowShape, steps: number, features: readonly string[]): string[] {
    if (shape === "last-step") return [...features];
    if (shape === "summary") return features.flatMap((name) => SUMMARY.map((suffix) => name + suffix));
    const before = (step: number) => (step === steps - 1 ? "" : ` -${steps - 1 - step}`);
    return Array.from({ length: steps }, (_, step) => features.map((name) => name + before(step))).flat();
}

/**
 * The rows in order; each is overwritten by the next, so copy what is kept. Throws `invalid-input` naming feature and
 * sample for a number that is not finite.
 */
export function* rows(shape: RowShape, windows: Windows): Generator<Float64Array, void, undefined> {
    const features = windows.features;
    const summary = new Float64Array(features.length * SUMMARY.length);
    for (const chunk of shape === "last-step" ? windows.lastRows() : windows.chunks()) {
        checkFinite(chunk, features);
        for (const window of chunk.samples()) {
            if (shape === "summary") summarise(window, features.length, summary);
            yield shape === "summary" ? summary : window;
        }
    }
}

function checkFinite(chunk: Chunk, features: readonly string[]): void {
    const place = chunk.values.findIndex((value) => !Number.isFinite(value));
    if (place < 0) return;
    const sample = chunk.first + Math.floor(place / chunk.width);
    throw invalidInput(`\`${features[place % features.length]}\` of sample ${sample} is ${chunk.values[place]}: it must be finite`);
}

/** The summary of one window, feature after feature. */
function summarise(window: Float64Array, features: number, summary: Float64Array): void {
    const steps = window.length / features;
    for (let feature = 0; feature < features; feature++) {
        const first = window[feature] as number;
        const last = window[window.length - features + feature] as number;
        let [sum, least, most] = [0, first, first];
        for (let at = feature; at < window.length; at += features) {
            const value = window[at] as number;
            sum += value;
            if (value < least) least = value;
            if (value > most) most = value;
        }
        const mean = sum / steps;
        let squares = 0;
        for (let at = feature; at < window.length; at += features) squares += ((window[at] as number) - mean) ** 2;
        summary.set([last, mean, Math.sqrt(squares / steps), least, most, last - first], feature * SUMMARY.length);
    }
}

/** The targets of a part of the data (`part` names it in errors), one finite number per sample. Throws `invalid-input`. */
export function readTargets(windows: Windows, part: string): Float64Array {
    const targets = windows.targets();
    if (targets.length !== windows.samples) {
        throw invalidInput(`the ${part} part has ${targets.length} targets for ${windows.samples} samples`);
    }
    const wrong = targets.findIndex((target) => !Number.isFinite(target));
    if (wrong >= 0) throw invalidInput(`the target of ${part} sample ${wrong} is ${targets[wrong]}: it must be finite`);
    return targets;
}

/**
 * What targets ask for: a probability when each is 0 or 1, else a real number. Throws `invalid-input` when all are the
 * same, for then there is nothing to learn.
 */
export function taskOf(targets: Float64Array): Task {
    const first = targets[0];
    if (targets.every((target) => target === first)) {
        throw invalidInput(`all ${targets.length} training targets are ${first}: there is nothing to learn from one value`);
    }
    return targets.every((target) => target === 0 || target === 1) ? "binary" : "regression";
}

/**
 * Checks that windows have the features and the steps a model learned from; steps do not matter to a row of the last one.
 * Throws `invalid-input` with both.
 */
export function checkFeatures(shape: RowShape, learned: readonly string[], steps: number, given: Windows): void {
    const features = given.features;
    if (features.length !== learned.length || features.some((name, place) => name !== learned[place])) {
        throw invalidInput(`the model learned from [${learned.join(", ")}] and is given [${features.join(", ")}]`);
    }
    if (shape !== "last-step" && given.steps !== steps) {
        throw invalidInput(`the model learned from windows of ${steps} steps and is given ${given.steps}`);
    }
}
