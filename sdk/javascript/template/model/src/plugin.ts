// `{{name}}`: a linear model that fits itself. Ridge regression for real targets, logistic regression for directions, both on
// the features of the last bar. The host builds features and targets, keeps the state and serves it.
//
// For a network the host trains, export `model({ requires, plan })` instead and return `network(...)` of a `NetworkBuilder`.

import {
    checkFeatures,
    guest,
    guestModel,
    invalidInput,
    Reader,
    readTargets,
    real,
    rows,
    STATIONARY_FEATURES,
    type Task,
    taskOf,
    Writer,
} from "bellwether";
import { type Data, fit, predict } from "./linear.ts";

const NAME = "{{name}}";
const LAYOUT = 1;

export default guestModel({
    name: NAME,
    version: "0.1.0",
    summary: "Ridge and logistic regression on the last bar's features.",
    configSchema: {
        type: "object",
        additionalProperties: false,
        properties: {
            penalty: { type: "number", exclusiveMinimum: 0, default: 1, description: "Weight of the squared coefficients (ridge)." },
            rounds: {
                type: "integer",
                minimum: 1,
                maximum: 1000,
                default: 25,
                description: "Most rounds of Newton's method for a direction.",
            },
        },
    },

    requires: () => ({ features: STATIONARY_FEATURES, sequenceLength: 1, leastRows: 50 }),

    // Scaled features let one penalty suit them all; only the last step of a window is read.
    plan: () => guest({ scaled: true, lastStepOnly: true }),

    searchSpace: [real("penalty", 0.001, 1000, true)],

    fit(train, _validation, config) {
        const targets = readTargets(train, "training");
        const task = taskOf(targets);
        const features = train.features;
        const data: Data = { width: features.length, targets, rows: () => rows("last-step", train) };
        const coefficients = fit(data, task, config.penalty, config.rounds);
        return new Writer(NAME, LAYOUT).text(task).texts(features).numbers(coefficients).finish();
    },

    predict(state, inputs) {
        const reader = new Reader(state, NAME, LAYOUT);
        const task = reader.text() as Task;
        const features = reader.texts();
        const coefficients = reader.exactly(features.length + 1);
        reader.finish();
        if (!coefficients.every(Number.isFinite)) throw invalidInput(`the \`${NAME}\` state is damaged: its coefficients are not finite`);
        checkFeatures("last-step", features, 1, inputs);
        return predict(rows("last-step", inputs), inputs.samples, task, coefficients);
    },
});
