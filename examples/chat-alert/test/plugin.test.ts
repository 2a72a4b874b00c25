// The whole handler natively; `bellwether/testing` takes the requests.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import * as testing from "bellwether/testing";
import plugin from "../src/plugin.ts";

const url = "https://hooks.example/services/T0/B0/secret";

beforeEach(() => {
    testing.reset();
    testing.setSecret("chat-url", `${url}\n`);
    testing.respondWith({ status: 200, body: "ok" });
});

test("the schema holds", () => testing.checkSchema(plugin));

for (const one of testing.cases()) test(`case ${one.name}`, () => testing.checkCase(plugin, one));

test("the address comes from the secret, the key goes along", () => {
    plugin.handle(testing.alert(), testing.config(plugin));
    const [request] = testing.requests;
    assert.equal(request.url, url);
    assert.equal(request.headers["idempotency-key"], "alert-1:firing:1");
    assert.equal(request.headers["content-type"], "application/json");
});

test("answers are told apart, and none names the address", () => {
    const check = (status: number, code: string, message: RegExp) => {
        testing.respondWith({ status, body: "no_service" });
        assert.throws(
            () => plugin.handle(testing.alert(), testing.config(plugin)),
            (error: Error & { code: string }) => {
                assert.deepEqual([error.code, error.message.includes("secret")], [code, false]);
                assert.match(error.message, message);
                return true;
            },
        );
    };
    for (const status of [408, 425, 429, 500, 503]) check(status, "transient", /^slack answered \d+: no_service$/);
    for (const status of [302, 401, 403, 404, 405, 410]) check(status, "invalid-config", /is the webhook's address right/);
    for (const status of [400, 413, 422]) check(status, "internal", /refused the message of alert alert-1/);
});

test("without a secret and an address it says so", () => {
    testing.reset();
    assert.throws(() => plugin.handle(testing.alert(), testing.config(plugin)), {
        code: "invalid-config",
        message: /`chat-url` is not mapped/,
    });
    testing.setSecret("chat-url", "hooks.example");
    assert.throws(() => plugin.handle(testing.alert(), testing.config(plugin)), {
        code: "invalid-config",
        message: /must begin with https/,
    });
});
