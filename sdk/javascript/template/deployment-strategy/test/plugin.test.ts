// The strategy natively: a whole rollout, carried out as the host's controller would.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Action } from "bellwether";
import * as testing from "bellwether/testing";
import plugin from "../src/plugin.ts";

test("the schema holds", () => testing.checkSchema(plugin));

for (const one of testing.cases()) test(`case ${one.name}`, () => testing.checkCase(plugin, one));

/** Carries out what the strategy decides until the rollout ends; every analysis answers `passed`. */
function carryOut(passed: boolean | null): string[] {
    const config = testing.config(plugin, { shares: [0.1, 0.5] });
    const rollout = testing.rollout();
    const done: string[] = [];
    for (let number = 0; number < 20; number++) {
        const { action } = plugin.next(rollout, config);
        done.push(action.tag === "set-weight" ? `${action.tag} ${action.val.share}` : action.tag);
        if (action.tag === "promote" || action.tag === "rollback") return done;
        if (action.tag === "check-health") rollout.health = { passed: true, probes: 3, slowestMs: 2, reasons: [] };
        if (action.tag === "analyse") rollout.analysis = { passed, reasons: [] };
        rollout.steps.push({ number, action, secondsAgo: 0 });
    }
    throw new Error(`the rollout never ended: ${done.join(", ")}`);
}

test("a good candidate is promoted step by step", () => {
    assert.deepEqual(carryOut(true), ["check-health", "set-weight 0.1", "analyse", "set-weight 0.5", "analyse", "promote"]);
});

test("a worse candidate goes back, and so does one nobody asked anything", () => {
    assert.deepEqual(carryOut(false), ["check-health", "set-weight 0.1", "analyse", "rollback"]);
    assert.deepEqual(carryOut(null), ["check-health", "set-weight 0.1", "analyse", "rollback"]);
});

test("a first deployment has nothing to be compared with", () => {
    const health = { passed: true, probes: 3, slowestMs: 2, reasons: [] };
    assert.equal(plugin.next(testing.rollout({ stable: null, health }), testing.config(plugin)).action.tag, "promote");
});

test("nothing moves outside the hours", () => {
    const config = testing.config(plugin, { from_hour: 9, to_hour: 17 });
    const health = { passed: true, probes: 3, slowestMs: 2, reasons: [] };
    const at = (hour: number): Action => plugin.next(testing.rollout({ health, nowMs: hour * 3_600_000 }), config).action;
    assert.deepEqual(at(8), { tag: "pause", val: { tag: "seconds", val: 3600 } });
    assert.deepEqual(at(18), { tag: "pause", val: { tag: "seconds", val: 15 * 3600 } });
    assert.equal(at(9).tag, "set-weight");
    assert.equal(at(16.99).tag, "set-weight");
});

test("hours and shares that cannot be are refused", () => {
    assert.throws(() => testing.config(plugin, { from_hour: 9, to_hour: 9 }), { code: "invalid-config" });
    assert.throws(() => testing.config(plugin, { shares: [0.5, 0.1] }), { code: "invalid-config" });
});
