// The functions that stand in for the host's `stats`, against SciPy; randomness in tests.

import assert from "node:assert/strict";
import { test } from "node:test";
import { random, stats } from "bellwether";
import * as testing from "bellwether/testing";
import fixture from "./fixtures/stats.json" with { type: "json" };

test("distribution functions agree with SciPy", () => {
    for (const [name, given, expected] of fixture.cases as [keyof typeof stats, number[], number][]) {
        const found = (stats[name] as (...given: number[]) => number)(...given);
        const close = Math.abs(found - expected) <= 1e-9 * Math.max(Math.abs(expected), 1e-290) || Math.abs(found - expected) < 1e-15;
        assert.ok(close, `${name}(${given.join(", ")}) is ${found}, SciPy has ${expected}`);
    }
});

test("arguments outside a domain give NaN, infinities their limits", () => {
    const { studentTSf, chiSquaredSf, fisherFSf, betaRegularized, normalCdf, normalQuantile, lnGamma } = stats;
    const bad = [studentTSf(1, 0), studentTSf(Number.NaN, 1), chiSquaredSf(1, -1), fisherFSf(1, 0, 1), betaRegularized(1, 1, 2)];
    for (const value of [...bad, normalCdf(Number.NaN), normalQuantile(0), normalQuantile(1), lnGamma(-1)]) assert.ok(Number.isNaN(value));
    const [above, below] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    assert.deepEqual([studentTSf(above, 3), studentTSf(below, 3), chiSquaredSf(above, 3), chiSquaredSf(-1, 3)], [0, 1, 0, 1]);
    assert.deepEqual([normalCdf(above), normalCdf(below), fisherFSf(above, 1, 1)], [1, 0, 0]);
});

test("one seed gives one sequence of the right shape", () => {
    const draw = (seed: number) => {
        testing.seed(seed);
        return random.normal(20_000);
    };
    assert.deepEqual(draw(7), draw(7));
    assert.notDeepEqual(draw(7), draw(8));
    const { mean, variance } = testing.column("x", draw(7)).moments();
    assert.ok(Math.abs(mean) < 0.02 && Math.abs(variance - 1) < 0.03, `${mean} ${variance}`);
    assert.ok(random.uniform(140_000).every((value) => value >= 0 && value < 1));
    const order = random.permutation(100);
    assert.deepEqual(
        [...order].sort((a, b) => a - b),
        Array.from({ length: 100 }, (_, at) => at),
    );
});
