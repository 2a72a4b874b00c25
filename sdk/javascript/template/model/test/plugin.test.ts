// The model natively; `bellwether/testing` makes the windows.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as testing from "bellwether/testing";
import plugin from "../src/plugin.ts";

const config = testing.config(plugin, { penalty: 1e-9 });
const features = ["a", "b"];
const inputs = [0, 0, 1, 0, 0, 1, 1, 1, 2, 1];

test("the schema holds", () => testing.checkSchema(plugin));
test("what is offered for tuning can be set", () => testing.checkSearchSpace(plugin));

// The cases' predictions are those of NumPy (ridge) and SciPy (logistic).
for (const one of testing.cases()) test(`case ${one.name}`, () => testing.checkCase(plugin, one));

test("it fits itself on the last step", () => {
    assert.deepEqual(testing.plan(plugin, {}, 1, features), { tag: "guest", val: { scaled: true, lastStepOnly: true } });
});

test("a line is learned", () => {
    const train = testing.windows(features, 1, inputs, [3, 5, 2, 4, 6]);
    const predictions = plugin.predict(plugin.fit(train, train, config), testing.windows(features, 1, [5, 5]), config);
    assert.ok(Math.abs(predictions[0] - 8) < 1e-6, String(predictions[0]));
});

test("a direction gets a probability", () => {
    const values = Array.from({ length: 100 }, (_, at) => (at - 50) / 10);
    const targets = values.map((value, at) => (value + ((at * 7) % 11) / 5 - 1 > 0 ? 1 : 0));
    const train = testing.windows(["a"], 1, values, targets);
    const predictions = plugin.predict(plugin.fit(train, train, config), testing.windows(["a"], 1, [-3, 0, 3]), config);
    const [low, middle, high] = Array.from(predictions);
    assert.ok(low < 0.05 && middle > 0.2 && middle < 0.8 && high > 0.95, `${low} ${middle} ${high}`);
});

test("other features and foreign states are refused", () => {
    const train = testing.windows(features, 1, inputs, [3, 5, 2, 4, 6]);
    const state = plugin.fit(train, train, config);
    assert.throws(() => plugin.predict(state, testing.windows(["a", "c"], 1, [1, 2]), config), { code: "invalid-input" });
    assert.throws(() => plugin.predict(state.slice(0, 30), train, config), { code: "invalid-input" });
    const constant = testing.windows(features, 1, inputs, [1, 1, 1, 1, 1]);
    assert.throws(() => plugin.fit(constant, constant, config), { code: "invalid-input" });
});
