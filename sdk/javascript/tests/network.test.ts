// Networks, training settings, plans.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
    checkTraining,
    choice,
    ensemble,
    finishNetwork,
    model,
    NetworkBuilder,
    network,
    real,
    STATIONARY_FEATURES,
    TRAINING_SETTINGS,
    trainingSearchSpace,
    whole,
} from "bellwether";
import * as testing from "bellwether/testing";
import { exportsOf } from "../bellwether/serve.ts";

const plain = model({
    name: "plain",
    version: "0.1.0",
    summary: "A recurrent network.",
    configSchema: {
        type: "object",
        additionalProperties: false,
        properties: { units: { type: "integer", minimum: 1, default: 8, description: "Width." }, ...TRAINING_SETTINGS },
    },
    check: checkTraining,
    requires: () => ({ features: STATIONARY_FEATURES, sequenceLength: 24, leastRows: 100 }),
    plan(config, _input, target) {
        const net = new NetworkBuilder();
        const x = net.gru(net.dropout(net.input(), 0.1), config.units);
        return network(finishNetwork(net, x, target, config));
    },
    searchSpace: [whole("units", 4, 128, true), ...trainingSearchSpace(1e-4, 1e-2)],
});

test("layers are named and wired", () => {
    const net = new NetworkBuilder();
    const x = net.input();
    const a = net.lstm(x, 8, { returnSequences: true });
    const b = net.lstm(a, 8, { returnSequences: true });
    const head = net.name(net.dense(net.pool(net.add(a, b), "last"), 1), "head");
    const built = net.output("prediction", head, { tag: "mse" }).build();
    assert.deepEqual(
        built.nodes.map((node) => [node.name, node.inputs]),
        [
            ["input", []],
            ["lstm_1", [0]],
            ["lstm_2", [1]],
            ["add_1", [1, 2]],
            ["pool_1", [3]],
            ["head", [4]],
        ],
    );
    assert.deepEqual([built.outputs[0]?.node, built.training.learningRate], [5, 1e-3]);
});

test("every operation has a method", () => {
    const net = new NetworkBuilder();
    const window = net.input();
    const hour = net.embedding(net.reshape(net.slice(window, 1, 0, 1), 60), 24, 8);
    const x = net.dense(window, 8, { bias: false, kernel: { tag: "he-uniform" } });
    const branch = net.activation(net.batchNorm(net.conv(x, 8, 3, { dilation: 2, bias: false }), { epsilon: 1e-5, momentum: 0.9 }), "silu");
    const joined = net.concat(1, net.add(x, branch), net.positions(hour), net.multiply(hour, hour));
    const seen = net.layerNorm(net.attention(joined, 4, { causal: true }));
    const custom = net.operation({ tag: "custom", val: { name: "x", attributes: "{}" } }, net.pool(seen, "attention"));
    const built = net.output("prediction", net.dense(custom, 1), { tag: "huber", val: 1 }).build();
    assert.deepEqual(testing.outline(built), [
        "slice_1 <- input",
        "reshape_1([60]) <- slice_1",
        "embedding_1 <- reshape_1",
        "dense_1(8) <- input",
        "conv_1(8) <- dense_1",
        "batch_norm_1 <- conv_1",
        "activation_1(silu) <- batch_norm_1",
        "add_1 <- dense_1, activation_1",
        "positions_1(sinusoidal) <- embedding_1",
        "multiply_1 <- embedding_1, embedding_1",
        "concat_1(1) <- add_1, positions_1, multiply_1",
        "attention_1(4) <- concat_1",
        "layer_norm_1(0.00001) <- attention_1",
        "pool_1(attention) <- layer_norm_1",
        "operation_1 <- pool_1",
        "dense_2(1) <- operation_1",
    ]);
});

test("a model type plans networks by its settings", () => {
    testing.checkSchema(plain);
    testing.checkSearchSpace(plain);
    const built = testing.network(plain, { units: 16 }, 24, ["a", "b"]);
    assert.deepEqual(testing.outline(built), ["dropout_1(0.1) <- input", "gru_1(16) <- dropout_1", "dense_1(1) <- gru_1"]);
    assert.deepEqual(testing.network(plain, {}, 24, ["a"], "binary").outputs[0]?.loss, { tag: "bce" });
    const wide = testing.network(plain, { loss: "quantile", optimizer: "sgd", schedule: "step", clip_norm: 0, patience: 0 }, 24, ["a"]);
    assert.deepEqual(wide.nodes.at(-1)?.operation, { tag: "dense", val: { units: 3, bias: true, kernel: { tag: "standard" } } });
    assert.deepEqual(
        [wide.training.optimizer, wide.training.schedule, wide.training.clipNorm, wide.training.earlyStopping],
        [{ tag: "sgd", val: { momentum: 0.9, nesterov: false, weightDecay: 0 } }, { tag: "step", val: [30, 0.5] }, null, null],
    );
});

test("settings that do not go together are refused", () => {
    const refused = (given: Record<string, never | unknown>, message: RegExp) =>
        assert.throws(() => testing.config(plain, given as never), { code: "invalid-config", message });
    refused({ quantiles: [0.5, 0.1] }, /must ascend/);
    refused({ quantiles: [0.1, 0.9] }, /lacks 0.5/);
    refused({ optimizer: "sgd", nesterov: true, momentum: 0 }, /`momentum` is 0/);
    refused({ schedule: "reduce-on-plateau", plateau_patience: 10 }, /`plateau_patience` is 10/);
    refused({ epochs: 0 }, /`minimum` is 1/);
    refused({ epoch: 1 }, /no setting `epoch`/);
});

test("what crosses is the contract's", () => {
    const planner = exportsOf(plain)["planner"] as Record<string, (...given: unknown[]) => unknown>;
    const space = planner["searchSpace"]?.() as { name: string; values: unknown }[];
    assert.deepEqual(space.find(({ name }) => name === "batch_size")?.values, { tag: "choice", val: ["16", "32", "64", "128"] });
    const several = model({
        ...plain,
        check: () => {},
        plan: () => ensemble({ members: [{ modelType: "plain", config: { units: 4 }, weight: 1 }], combine: "mean" }),
        searchSpace: [real("units", 1, 2), choice("loss", "mse")],
    });
    const plan = (exportsOf(several)["planner"] as typeof planner)["plan"]?.("{}", {}, {});
    assert.deepEqual(plan, {
        tag: "members",
        val: { members: [{ modelType: "plain", config: '{"units":4}', weight: 1 }], combine: "mean" },
    });
});
