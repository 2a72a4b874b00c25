// Outgoing HTTP: which failures the host tries again, and what cannot be sent.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { clock, http, log, secrets } from "bellwether";
import * as testing from "bellwether/testing";
import { parseUrl } from "../bellwether/http/url.ts";
import { overWasi } from "../bellwether/http/wire.ts";
import { encodeUtf8 } from "../bellwether/text.ts";

beforeEach(() => testing.reset());

const post = () => http.postJson("https://example.com/hook", { a: 1 });

test("failures are sorted by whether another try helps", () => {
    const check = (answer: Parameters<typeof testing.respondWith>[0], code: string, message: RegExp) => {
        testing.respondWith(answer);
        assert.throws(post, { code, message });
    };
    check({ status: 503, body: "busy" }, "transient", /^the receiver answered 503: busy$/);
    for (const status of [408, 425, 429, 500]) check({ status }, "transient", /answered/);
    check({ status: 404 }, "http-404", /answered 404/);
    check({ status: 301 }, "http-301", /answered 301/);
    const failing = (kind: "unreachable" | "refused" | "broken") => () => {
        throw testing.failure(kind, "why");
    };
    check(failing("unreachable"), "transient", /^https:\/\/example.com: why$/);
    check(failing("refused"), "invalid-config", /granted this origin/);
    check(failing("broken"), "http-failed", /why/);
});

test("a document is posted as JSON", () => {
    testing.respondWith({ status: 200, headers: { "X-Id": "7" }, body: '{"ok":true}' });
    const response = http.postJson("https://example.com/a?b=c#d", { ü: [1] }, { headers: { "X-Team": "desk" } });
    assert.deepEqual([response.header("x-ID"), response.json()], ["7", { ok: true }]);
    const [request] = testing.requests;
    assert.deepEqual([request?.method, request?.headers["content-type"], request?.headers["x-team"]], ["POST", "application/json", "desk"]);
    assert.equal(request?.body, '{"ü":[1]}');
});

test("headers cannot smuggle lines", () => {
    testing.respondWith({ status: 200 });
    const sending = (name: string, value: string) => () => http.send({ url: "https://example.com", headers: { [name]: value } });
    sending("x-a", "b")();
    for (const [name, value] of [
        ["x-a", "b\r\nx-c: d"],
        ["x a", "b"],
        ["", "b"],
        ["x-a", "\u007f"],
    ] as const) {
        assert.throws(sending(name, value), { code: "invalid-config" });
    }
});

test("URLs come apart", () => {
    const parts = (text: string) => [parseUrl(text).origin, parseUrl(text).path];
    assert.deepEqual(parts("https://Example.com/a?b=c#d"), ["https://example.com", "/a?b=c"]);
    assert.deepEqual(parts("HTTP://[::1]:8080"), ["http://[::1]:8080", "/"]);
    assert.deepEqual(parts("https://example.com?x"), ["https://example.com", "/?x"]);
    for (const bad of [
        "ftp://example.com",
        "example.com",
        "https:///a",
        "https://me:secret@example.com",
        "https://example.com/a b",
        "https://ex\u00e4mple.com",
    ]) {
        assert.throws(
            () => parseUrl(bad),
            (error: Error) => !error.message.includes("secret@"),
            bad,
        );
    }
});

test("secrets, the time and the log are there", () => {
    testing.setSecret("token", " s3cret\n");
    testing.setNowMs(5);
    log.warn("look");
    assert.deepEqual([secrets.need("token"), secrets.get("other"), clock.nowMs()], ["s3cret", undefined, 5]);
    assert.throws(() => secrets.need("other"), { code: "invalid-config", message: /`other` is not mapped/ });
    assert.deepEqual(testing.lines, [{ level: "warn", message: "look" }]);
});

/** `wasi:http` as QuickJS shows it, answering as told. */
function wasi(answer: unknown, body: Uint8Array[]) {
    const told: unknown[] = [];
    class Fields {
        append(name: string, value: Uint8Array): void {
            told.push([name, value.length]);
        }
        entries(): [string, Uint8Array][] {
            return [
                ["X-A", encodeUtf8("b")],
                ["x-bytes", Uint8Array.of(0xff)],
            ];
        }
    }
    const stream = {
        blockingRead(): Uint8Array {
            const part = body.shift();
            if (part === undefined) throw { tag: "closed" };
            return part;
        },
    };
    class OutgoingRequest {
        body = () => ({ write: () => ({ blockingWriteAndFlush: (part: Uint8Array) => void told.push(part.length) }) });
        setMethod = (method: unknown) => void told.push(method);
        setScheme = (scheme: unknown) => void told.push(scheme);
        setAuthority = (authority: string) => void told.push(authority);
        setPathWithQuery = (path: string) => void told.push(path);
    }
    class RequestOptions {
        setConnectTimeout = (time: number) => void told.push(time);
        setFirstByteTimeout = (): void => {};
        setBetweenBytesTimeout = (): void => {};
    }
    const response = { status: () => 201, headers: () => new Fields(), consume: () => ({ stream: () => stream }) };
    const got = answer === "ok" ? { tag: "ok", val: { tag: "ok", val: response } } : { tag: "ok", val: { tag: "err", val: answer } };
    const handle = () => ({ subscribe: () => ({ block() {} }), get: () => got });
    const types = { Fields, OutgoingRequest, RequestOptions, OutgoingBody: { finish: () => void told.push("finished") } };
    return { told, source: overWasi({ handle, types } as never) };
}

const request = {
    method: "PATCH",
    secure: true,
    authority: "example.com",
    path: "/",
    headers: [["a", "b"]] as [string, string][],
    body: new Uint8Array(5000),
    timeoutMs: 2,
    url: "",
};

test("an exchange over wasi:http", () => {
    const { told, source } = wasi("ok", [encodeUtf8("he"), encodeUtf8("llo")]);
    const answer = source.exchange(request);
    assert.deepEqual([answer.status, answer.headers, Buffer.from(answer.body).toString()], [201, [["x-a", "b"]], "hello"]);
    assert.deepEqual(told, [
        ["a", 1],
        ["content-length", 4],
        { tag: "patch" },
        { tag: "HTTPS" },
        "example.com",
        "/",
        2e6,
        4096,
        904,
        "finished",
    ]);
});

test("codes of wasi:http say whether another try helps", () => {
    const kind = (code: unknown) => {
        try {
            wasi(code, []).source.exchange(request);
        } catch (error) {
            return (error as { kind: string }).kind;
        }
        return "none";
    };
    assert.equal(kind({ tag: "connection-refused" }), "unreachable");
    assert.equal(kind({ tag: "DNS-error", val: {} }), "unreachable");
    assert.equal(kind({ tag: "HTTP-request-denied" }), "refused");
    assert.equal(kind({ tag: "destination-IP-prohibited" }), "refused");
    assert.equal(kind({ tag: "TLS-certificate-error" }), "broken");
});
