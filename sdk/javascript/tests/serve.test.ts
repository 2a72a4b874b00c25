// What a component hands out: shapes the host takes, errors of the contract for everything else. And the build's own parts.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import { driftTest, invalidInput, NO_SETTINGS, type Outcome, other } from "bellwether";
import * as testing from "bellwether/testing";
// @ts-expect-error The build is plain JavaScript.
import { readManifest } from "../bellwether/build/manifest.mjs";
// @ts-expect-error The build is plain JavaScript.
import { writeWorld } from "../bellwether/build/world.mjs";
import { exportsOf } from "../bellwether/serve.ts";
import { MemoryColumn, MemoryFrame } from "../bellwether/testing/memory.ts";

beforeEach(() => testing.reset());

const good: Outcome = { statistic: 1, score: 1, threshold: 2, drifted: false, referenceCount: 3, currentCount: 4 };

/** Calls `test` of a plugin that answers so; the answer, or what was thrown. */
function answer(run: () => Outcome): unknown {
    const plugin = driftTest({
        name: "x",
        version: "0.1.0",
        summary: "x",
        configSchema: NO_SETTINGS,
        baseline: () => new Uint8Array(),
        test: run,
    });
    const exported = exportsOf(plugin)["test"] as Record<string, (...given: unknown[]) => unknown>;
    try {
        return exported["test"]?.(new Uint8Array(), new MemoryFrame([new MemoryColumn("a", [1])]), "{}");
    } catch (thrown) {
        return thrown;
    }
}

test("an outcome is put into the contract's shape", () => {
    assert.deepEqual(
        answer(() => good),
        { ...good, pValue: null, detail: "{}" },
    );
    assert.deepEqual(
        answer(() => ({ ...good, pValue: 0.5, detail: { a: [1] } })),
        { ...good, pValue: 0.5, detail: '{"a":[1]}' },
    );
});

test("what the host would refuse is named", () => {
    assert.deepEqual(
        answer(() => ({ ...good, score: Number.NaN })),
        { tag: "internal", val: "outcome.score is NaN: it must be a finite number" },
    );
    assert.deepEqual(
        answer(() => ({ ...good, currentCount: 1.5 })),
        {
            tag: "internal",
            val: "outcome.currentCount is 1.5: it must be a whole number, 0 or more",
        },
    );
});

test("whatever is thrown is an error of the contract", () => {
    const throwing = (thrown: unknown) =>
        answer(() => {
            throw thrown;
        });
    assert.deepEqual(throwing(invalidInput("a\ud800")), { tag: "invalid-input", val: "a\ufffd" });
    assert.deepEqual(throwing(other("http-404", "gone")), { tag: "other", val: ["http-404", "gone"] });
    assert.equal(testing.lines.length, 0);
    assert.deepEqual(throwing(new TypeError("null has no x")), { tag: "internal", val: "TypeError: null has no x" });
    assert.deepEqual(throwing("text"), { tag: "internal", val: "something that is no Error was thrown: text" });
    assert.match(testing.lines[0]?.message ?? "", /^TypeError: null has no x\n.*serve\.test/s);
});

test("configurations are filled and checked as the host does", () => {
    const plugin = driftTest({
        name: "x",
        version: "0.1.0",
        summary: "x",
        configSchema: {
            type: "object",
            additionalProperties: false,
            required: ["url"],
            properties: {
                url: { type: "string", pattern: "^https?://", description: "Where." },
                many: { type: "array", items: { type: "integer", maximum: 3 }, default: [1], description: "Some." },
                inner: { type: "object", properties: { a: { type: "number", default: 2 } }, default: {}, description: "In." },
                mode: { type: "string", enum: ["a", "b"], default: "a", description: "Which." },
            },
        },
        baseline: (_reference, config) => Uint8Array.of(config.inner.a, ...config.many),
        test: () => good,
    });
    const url = "https://example.com";
    assert.deepEqual(testing.config(plugin, { url }), { url, many: [1], inner: { a: 2 }, mode: "a" });
    for (const given of [{}, { url: "x" }, { url, many: [4] }, { url, many: [1.5] }, { url, mode: "c" }, { url, more: 1 }, { url: 1 }]) {
        assert.throws(() => testing.config(plugin, given as never), { code: "invalid-config" });
    }
    testing.checkSchema(plugin, { url });
    assert.throws(() => testing.checkSchema(plugin));
});

test("a manifest is read as far as the build needs it", () => {
    const path = join(mkdtempSync(join(tmpdir(), "bellwether-")), "plugin.toml");
    writeFileSync(
        path,
        [
            'name = "a-b" # not "c"',
            "version = '1.2.3'",
            'kind = "alert-handler"',
            'summary = "has # and \\" in it"',
            "[wants]",
            "http = [",
            '  "https://a.example", # one',
            '  "https://b.example",',
            "]",
            "clock = true",
            "[limits]",
            'memory = "1 MiB"',
            "",
        ].join("\n"),
    );
    assert.deepEqual(readManifest(path), {
        name: "a-b",
        version: "1.2.3",
        kind: "alert-handler",
        wants: { http: true, secrets: false, clock: true },
    });
    writeFileSync(path, 'name = "a"\n');
    assert.throws(() => readManifest(path), /`version` is missing/);
});

test("a world imports what the plugin wants and nothing else", () => {
    const folder = mkdtempSync(join(tmpdir(), "bellwether-"));
    const wit = ["wit", "../../wit"].find((path) => {
        try {
            return readFileSync(`${path}/host/host.wit`);
        } catch {
            return undefined;
        }
    });
    const names = (world: string, wants: object) =>
        Object.keys(writeWorld(folder, wit, world, { http: false, secrets: false, clock: false, ...wants }));
    assert.deepEqual(names("alert-handler", {}), ["log"]);
    assert.deepEqual(names("alert-handler", { http: true, secrets: true }), ["log", "secrets", "outgoingHandler", "httpTypes"]);
    assert.deepEqual(names("deployment-strategy", { http: true }), ["log", "stats"]);
    assert.match(readFileSync(join(folder, "world.wit"), "utf8"), /export bellwether:deploy\/strategy@0\.2\.0;/);
});
