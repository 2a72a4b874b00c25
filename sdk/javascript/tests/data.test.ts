// Columns, frames, windows and rows: read in pieces, and answering as the host's do.

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkFeatures, Frame, readTargets, rowNames, rows, taskOf } from "bellwether";
import * as testing from "bellwether/testing";

const { column, frame, windows } = testing;

test("a column answers as the host's", () => {
    const numbers = column("a", [3, Number.NaN, 1, 2]);
    assert.deepEqual([numbers.length, [...numbers.present()]], [4, [3, 1, 2]]);
    const { variance, ...moments } = numbers.moments();
    assert.deepEqual(moments, { count: 3, missing: 1, mean: 2, minimum: 1, maximum: 3 });
    assert.ok(Math.abs(variance - 2 / 3) < 1e-15);
    assert.deepEqual(numbers.quantiles([0, 0.25, 1]), [1, 1.5, 3]);
    assert.ok(Number.isNaN(numbers.quantiles([1.5])[0]) && Number.isNaN(column("b", []).quantiles([0.5])[0]));
    assert.deepEqual(numbers.histogram([1, 3]), [0, 2, 1]);
});

test("edges that do not ascend are an answer, not a trap", () => {
    for (const edges of [[2, 1], [Number.NaN], [1, Number.NaN, 2]]) {
        assert.throws(() => column("a", [1]).histogram(edges), { code: "invalid-input" });
    }
});

test("long columns come in pieces", () => {
    const values = Float64Array.from({ length: 150_000 }, (_, at) => at);
    const numbers = column("a", values);
    assert.deepEqual(
        [...numbers.chunks()].map((chunk) => chunk.length),
        [65_536, 65_536, 18_928],
    );
    assert.deepEqual(numbers.values(), values);
});

test("a univariate frame has one column", () => {
    assert.equal(frame({ a: [1] }).onlyColumn().name, "a");
    const two = frame({ a: [1], b: [2] });
    assert.throws(() => two.onlyColumn(), { message: "one column expected, 2 given: a, b" });
    assert.throws(() => frame({}).onlyColumn(), { code: "invalid-input" });
    assert.deepEqual(
        [...two.columns()].map((each) => each.name),
        ["a", "b"],
    );
    assert.throws(() => frame({ a: [1], b: [] }), RangeError);
});

test("bytes that do not lie on a multiple of eight are read", () => {
    const bytes = new Uint8Array(new ArrayBuffer(17), 1, 16);
    bytes.set(new Uint8Array(Float64Array.of(1.5, -2).buffer));
    const source = { rows: () => 2, names: () => ["a"], column: () => ({ readBytes: () => bytes }) };
    assert.deepEqual([...(new Frame(source as never).column(0)?.read(0, 2) ?? [])], [1.5, -2]);
});

test("windows come in whole samples", () => {
    const values = Float64Array.from({ length: 180_000 }, (_, at) => at);
    for (const [steps, samples] of [
        [20, 3000],
        [60, 1000],
    ] as const) {
        const inputs = windows(["a", "b", "c"], steps, values, new Float64Array(samples).fill(1));
        const chunks = [...inputs.chunks()];
        assert.deepEqual(
            chunks.flatMap((chunk) => [...chunk.values]),
            [...values],
        );
        const last = [...inputs.lastRows()].flatMap((chunk) => [...chunk.values]);
        assert.equal(last.length, samples * 3);
        assert.deepEqual(last.slice(0, 4), [steps * 3 - 3, steps * 3 - 2, steps * 3 - 1, steps * 6 - 3]);
        assert.equal(inputs.targets().length, samples);
    }
});

test("a window becomes a row", () => {
    const inputs = windows(["a", "b"], 2, [1, 10, 3, 30, 5, 50, 5, 20]);
    const all = (shape: Parameters<typeof rows>[0]) => [...rows(shape, inputs)].map((row) => [...row]);
    assert.deepEqual(all("last-step"), [
        [3, 30],
        [5, 20],
    ]);
    assert.deepEqual(all("flatten"), [
        [1, 10, 3, 30],
        [5, 50, 5, 20],
    ]);
    const summaries = Array.from(rows("summary", inputs), (row) => [...row]);
    assert.deepEqual(summaries[0], [3, 2, 1, 1, 3, 2, 30, 20, 10, 10, 30, 20]);
    assert.deepEqual(summaries[1], [5, 5, 0, 5, 5, 0, 20, 35, 15, 20, 50, -30]);
    assert.deepEqual(rowNames("flatten", 2, ["a", "b"]), ["a -1", "b -1", "a", "b"]);
    assert.equal(rowNames("summary", 2, ["a", "b"])[5], "a change");
});

test("what cannot be learned from is refused", () => {
    const holes = windows(["a", "b"], 2, [1, 2, 3, Number.NaN], [Number.NaN]);
    const refused = (run: () => unknown, message: RegExp) => assert.throws(run, { code: "invalid-input", message });
    refused(() => [...rows("flatten", holes)], /`b` of sample 0 is NaN/);
    refused(() => [...rows("last-step", holes)], /`b` of sample 0 is NaN/);
    refused(() => readTargets(holes, "training"), /target of training sample 0 is NaN/);
    refused(() => readTargets(windows(["a"], 1, [1]), "training"), /0 targets for 1 samples/);
    refused(() => taskOf(Float64Array.of(1, 1)), /all 2 training targets are 1/);
    refused(() => taskOf(Float64Array.of()), /all 0 training targets/);
    refused(() => checkFeatures("flatten", ["a", "b"], 3, holes), /windows of 3 steps and is given 2/);
    refused(() => checkFeatures("last-step", ["a"], 2, holes), /learned from \[a\] and is given \[a, b\]/);
    checkFeatures("last-step", ["a", "b"], 3, holes);
    assert.deepEqual([taskOf(Float64Array.of(0, 1)), taskOf(Float64Array.of(0, 1.5))], ["binary", "regression"]);
});
