// The detector natively; `bellwether/testing` stands in for the host.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as testing from "bellwether/testing";
import plugin from "../src/plugin.ts";

// Where the mean moves by 3 after 80 values and by -5 after 150; River 0.26.1 finds the same places (`PageHinkley` with
// min_instances=30, delta=0.05, threshold=20, alpha=0.999). The case `two-changes` has them too.
const config = testing.config(plugin, { tolerance: 0.05, threshold: 20, forget: 0.999 });
const values = Float64Array.from({ length: 240 }, (_, at) => ((at * 37) % 101) / 101 - 0.5 + (at < 80 ? 0 : at < 150 ? 3 : -2));

test("the schema holds", () => testing.checkSchema(plugin));

for (const one of testing.cases()) test(`case ${one.name}`, () => testing.checkCase(plugin, one));

test("both changes are found", () => {
    const { events } = plugin.update(plugin.start(config), values, config);
    assert.deepEqual(
        events.map((event) => event.index),
        [87, 154],
    );
});

test("splitting the values changes nothing", () => {
    let state = plugin.start(config);
    const found: number[] = [];
    for (let at = 0; at < values.length; at += 7) {
        const advance = plugin.update(state, values.subarray(at, at + 7), config);
        found.push(...advance.events.map((event) => event.index + at));
        state = advance.state;
    }
    assert.deepEqual(found, [87, 154]);
});

test("values that are no numbers leave the state as it was", () => {
    const start = plugin.start(config);
    const { state, events } = plugin.update(start, Float64Array.of(Number.NaN, Number.POSITIVE_INFINITY), config);
    assert.deepEqual([state, events], [start, []]);
});

test("foreign states are refused", () => {
    assert.throws(() => plugin.update(new Uint8Array(40), values, config), { code: "invalid-input" });
});
