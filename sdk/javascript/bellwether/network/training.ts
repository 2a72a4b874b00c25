// How a network is trained, as a configuration says it: the settings every network model type shares, with one set of names,
// ranges and defaults.
//
// A plugin spreads `TRAINING_SETTINGS` into the properties of its schema; its `check` calls `checkTraining`, its `plan` ends
// with `finishNetwork`. The settings are those of the host's own model types, word for word.

import type { Task, HyperParameter, Target } from "../contract.js";
import { invalidConfig } from "../errors.js";
import { choice, real } from "../model/plan.js";
import type { ConfigOf, Property } from "../schema.js";
import type { Node, NetworkBuilder } from "./builder.js";
import type { Loss, Network, Optimizer, Schedule, Training } from "./contract.js";

/** Properties of a schema: how a network is trained. To change a default, lay a property of the same name over it. */
export const TRAINING_SETTINGS = {
    learning_rate: {
        type: "number",
        exclusiveMinimum: 0,
        maximum: 1,
        default: 0.001,
        description: "Step size of the optimizer.",
    },
    batch_size: {
        type: "integer",
        minimum: 1,
        maximum: 65536,
        default: 32,
        description: "Samples per step.",
    },
    epochs: {
        type: "integer",
        minimum: 1,
        maximum: 100000,
        default: 100,
        description: "Most passes over the training data.",
    },
    loss: {
        type: "string",
        enum: ["mse", "mae", "huber", "quantile", "gaussian"],
        default: "mse",
        description:
            "What training makes small for a real-valued target: squared, absolute or Huber error, the pinball loss at each " +
            "of `quantiles` (the prediction is the median), or the likelihood of a normal with predicted mean and variance. A " +
            "binary target always uses binary cross-entropy.",
    },
    huber_delta: {
        type: "number",
        exclusiveMinimum: 0,
        maximum: 1000,
        default: 1.0,
        description: "Where loss `huber` turns from quadratic to linear, in standard deviations of the target.",
    },
    quantiles: {
        type: "array",
        items: { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1 },
        minItems: 1,
        maxItems: 99,
        default: [0.05, 0.5, 0.95],
        description:
            "Probabilities of loss `quantile`, ascending; 0.5 must be among them, for the median is the prediction and the " +
            "others are its interval.",
    },
    optimizer: {
        type: "string",
        enum: ["sgd", "adam", "adamw"],
        default: "adam",
        description: "How gradients become steps.",
    },
    momentum: {
        type: "number",
        minimum: 0,
        exclusiveMaximum: 1,
        default: 0.9,
        description: "Momentum of optimizer `sgd`; 0 for none.",
    },
    nesterov: {
        type: "boolean",
        default: false,
        description: "Optimizer `sgd` looks ahead along its momentum.",
    },
    weight_decay: {
        type: "number",
        minimum: 0,
        maximum: 1,
        default: 0.0,
        description: "Decay of weights: in the gradient for sgd and adam, apart from it for adamw.",
    },
    schedule: {
        type: "string",
        enum: ["constant", "step", "cosine", "warm-up", "one-cycle", "reduce-on-plateau"],
        default: "constant",
        description:
            "The learning rate over time: the same; cut every `step_epochs`; half a cosine down to `cosine_floor`; linear " +
            "from zero over `warm_up_steps`, then constant; up and down once with `rise_share`; or cut after " +
            "`plateau_patience` epochs without a better validation loss.",
    },
    step_epochs: {
        type: "integer",
        minimum: 1,
        maximum: 100000,
        default: 30,
        description: "Epochs between the cuts of schedule `step`.",
    },
    decay_factor: {
        type: "number",
        exclusiveMinimum: 0,
        exclusiveMaximum: 1,
        default: 0.5,
        description: "What the learning rate is multiplied by at each cut of schedules `step` and `reduce-on-plateau`.",
    },
    cosine_floor: {
        type: "number",
        minimum: 0,
        maximum: 1,
        default: 0.0,
        description: "Share of the learning rate that schedule `cosine` ends at.",
    },
    warm_up_steps: {
        type: "integer",
        minimum: 1,
        maximum: 10000000,
        default: 1000,
        description: "Steps (batches) of schedule `warm-up`'s rise.",
    },
    rise_share: {
        type: "number",
        exclusiveMinimum: 0,
        exclusiveMaximum: 1,
        default: 0.3,
        description: "Share of all steps during which schedule `one-cycle` rises.",
    },
    plateau_patience: {
        type: "integer",
        minimum: 1,
        maximum: 100000,
        default: 5,
        description: "Epochs without a better validation loss before schedule `reduce-on-plateau` cuts; fewer than `patience`.",
    },
    clip_norm: {
        type: "number",
        minimum: 0,
        maximum: 1000000,
        default: 1.0,
        description: "Most Euclidean norm of all gradients together, larger ones are scaled down; 0 for no clipping.",
    },
    patience: {
        type: "integer",
        minimum: 0,
        maximum: 100000,
        default: 10,
        description: "Epochs without a better validation loss before training stops and goes back to the best; 0 to never stop early.",
    },
    min_delta: {
        type: "number",
        minimum: 0,
        maximum: 1000000,
        default: 0.0,
        description: "Least fall of the validation loss that counts as better.",
    },
} as const satisfies { readonly [name: string]: Property };

/** The settings of training in a configuration. */
export type TrainingSettings = ConfigOf<{ readonly properties: typeof TRAINING_SETTINGS }>;

/** Refuses settings that each pass the schema and do not go together. Throws `invalid-config` naming what would be right. */
export function checkTraining(config: TrainingSettings): void {
    const { quantiles } = config;
    const place = quantiles.findIndex((low, at) => at + 1 < quantiles.length && !(low < (quantiles[at + 1] as number)));
    if (place >= 0) {
        throw invalidConfig(`\`quantiles\`: ${quantiles[place]} stands before ${quantiles[place + 1]}; they must ascend`);
    }
    if (!quantiles.includes(0.5)) {
        throw invalidConfig(
            `\`quantiles\` is [${quantiles.join(", ")}] and lacks 0.5: the median is the prediction, the others are its interval`,
        );
    }
    if (config.optimizer === "sgd" && config.nesterov && config.momentum === 0) {
        throw invalidConfig("`nesterov` looks ahead along the momentum and `momentum` is 0: set one above 0, for example 0.9");
    }
    if (config.schedule === "reduce-on-plateau" && config.patience > 0 && config.plateau_patience >= config.patience) {
        throw invalidConfig(
            `\`plateau_patience\` is ${config.plateau_patience} and training already stops after \`patience\` = ${config.patience} ` +
                "epochs: make it smaller, or `patience` larger or 0",
        );
    }
}

/** The loss for a target: `loss`, or binary cross-entropy of a logit for a binary target. */
export function lossFor(config: TrainingSettings, task: Task): Loss {
    if (task === "binary") return { tag: "bce" };
    switch (config.loss) {
        case "mse":
        case "mae":
            return { tag: config.loss };
        case "huber":
            return { tag: "huber", val: config.huber_delta };
        case "quantile":
            return { tag: "quantile", val: config.quantiles };
        case "gaussian":
            return { tag: "gaussian-nll" };
    }
}

/** Width of the output a loss wants: one per quantile, mean and log-variance of a Gaussian, else one. */
export function widthFor(loss: Loss): number {
    if (loss.tag === "quantile") return loss.val.length;
    return loss.tag === "gaussian-nll" ? 2 : 1;
}

/** The numbers of training for a network. */
export function trainingFor(config: TrainingSettings): Training {
    return {
        epochs: config.epochs,
        batchSize: config.batch_size,
        learningRate: config.learning_rate,
        optimizer: optimizerFor(config),
        schedule: scheduleFor(config),
        clipNorm: config.clip_norm > 0 ? config.clip_norm : null,
        earlyStopping: config.patience > 0 ? { patience: config.patience, minDelta: config.min_delta, restoreBest: true } : null,
    };
}

function optimizerFor(config: TrainingSettings): Optimizer {
    const weightDecay = config.weight_decay;
    if (config.optimizer === "sgd") return { tag: "sgd", val: { momentum: config.momentum, nesterov: config.nesterov, weightDecay } };
    return { tag: config.optimizer, val: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay } };
}

function scheduleFor(config: TrainingSettings): Schedule {
    switch (config.schedule) {
        case "constant":
            return { tag: "constant" };
        case "step":
            return { tag: "step", val: [config.step_epochs, config.decay_factor] };
        case "cosine":
            return { tag: "cosine", val: config.cosine_floor };
        case "warm-up":
            return { tag: "warm-up", val: config.warm_up_steps };
        case "one-cycle":
            return { tag: "one-cycle", val: config.rise_share };
        case "reduce-on-plateau":
            return { tag: "reduce-on-plateau", val: [config.plateau_patience, config.decay_factor] };
    }
}

/** Ends a network: a dense layer as wide as the loss wants on the vector `x`, the output `prediction` and the training. */
export function finishNetwork(net: NetworkBuilder, x: Node, target: Target, config: TrainingSettings): Network {
    const loss = lossFor(config, target.task);
    const head = net.dense(x, widthFor(loss));
    return net.output("prediction", head, loss).training(trainingFor(config)).build();
}

/**
 * Shared settings worth tuning, with the learning rate between two bounds. The losses offered all predict one number, so
 * that their trials can be compared.
 */
export const trainingSearchSpace = (lowestRate: number, highestRate: number): HyperParameter[] => [
    real("learning_rate", lowestRate, highestRate, true),
    choice("batch_size", 16, 32, 64, 128),
    real("weight_decay", 1e-6, 1e-2, true),
    choice("loss", "mse", "mae", "huber"),
];
