// The drift test natively; `bellwether/testing` stands in for the host.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Writer } from "bellwether";
import * as testing from "bellwether/testing";
import plugin from "../src/plugin.ts";

const config = testing.config(plugin);
const reference = testing.frame({ x: Array.from({ length: 101 }, (_, row) => row) });

test("the schema holds", () => testing.checkSchema(plugin));

for (const one of testing.cases()) test(`case ${one.name}`, () => testing.checkCase(plugin, one));

test("a moved median is drift, a wider spread is not", () => {
    const baseline = plugin.baseline(reference, config);
    const moved = plugin.test(baseline, testing.frame({ x: [80, 81, 82] }), config);
    assert.deepEqual([moved.statistic, moved.threshold, moved.drifted], [31, 25, true]);
    assert.equal(plugin.test(baseline, testing.frame({ x: [-100, 50, 200] }), config).drifted, false);
});

test("foreign and damaged baselines are refused", () => {
    const good = plugin.baseline(reference, config);
    const short = new Writer("{{name}}", 1).whole(3).numbers([1, 2]).finish();
    for (const bytes of [new Uint8Array(), good.slice(0, 20), short, new Writer("other", 1).finish()]) {
        assert.throws(() => plugin.test(bytes, reference, config), { code: "invalid-input" });
    }
});
