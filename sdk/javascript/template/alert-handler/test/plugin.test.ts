// The handler natively; `bellwether/testing` takes the requests and answers them.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import * as testing from "bellwether/testing";
import plugin from "../src/plugin.ts";

const url = "https://alerts.example/hook";
const config = testing.config(plugin, { url });

beforeEach(() => testing.reset());

test("the schema holds", () => testing.checkSchema(plugin, { url }));

for (const one of testing.cases()) test(`case ${one.name}`, () => testing.checkCase(plugin, one));

test("an alert is posted with its key", () => {
    testing.respondWith({ status: 202 });
    plugin.handle(testing.alert({ startedAtMs: 86_400_000 }), config);
    const [request] = testing.requests;
    assert.equal(request.url, url);
    assert.equal(request.headers["idempotency-key"], "alert-1:firing:1");
    assert.equal(JSON.parse(request.body).started_at, "1970-01-02T00:00:00.000Z");
});

test("only what another try may cure is transient", () => {
    for (const [status, code] of [
        [503, "transient"],
        [429, "transient"],
        [404, "http-404"],
    ] as const) {
        testing.respondWith({ status });
        assert.throws(() => plugin.handle(testing.alert(), config), { code });
    }
    testing.respondWith(() => {
        throw testing.failure("unreachable", "connection refused");
    });
    assert.throws(() => plugin.handle(testing.alert(), config), { code: "transient" });
});

test("what is not severe enough is not posted", () => {
    plugin.handle(testing.alert({ severity: "warning" }), testing.config(plugin, { url, least_severity: "critical" }));
    assert.equal(testing.requests.length, 0);
    assert.equal(testing.lines.length, 1);
});
