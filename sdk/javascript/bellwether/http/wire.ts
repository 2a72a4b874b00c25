// One exchange over `wasi:http`, as QuickJS shows it: results are returned or thrown, resources are objects.

import type { HttpSource, WireAnswer, WireRequest } from "../host.js";
import * as log from "../log.js";
import { decodeUtf8, encodeUtf8 } from "../text.js";
import { Failure } from "./client.js";

/** Most bytes read of an answer; the rest is left unread. */
const ANSWER_LIMIT = 1 << 20;

/** What `blocking-write-and-flush` takes at most. */
const WRITE = 4096;

interface Disposable {
    [Symbol.dispose]?(): void;
}
interface Fields extends Disposable {
    append(name: string, value: Uint8Array): void;
    entries(): [string, Uint8Array][];
}
interface OutputStream extends Disposable {
    blockingWriteAndFlush(part: Uint8Array): void;
}
interface OutgoingBody extends Disposable {
    write(): OutputStream;
}
interface OutgoingRequest extends Disposable {
    body(): OutgoingBody;
    setMethod(method: { tag: string; val?: string }): void;
    setScheme(scheme: { tag: string }): void;
    setAuthority(authority: string): void;
    setPathWithQuery(path: string): void;
}
interface RequestOptions extends Disposable {
    setConnectTimeout(nanoseconds: number): void;
    setFirstByteTimeout(nanoseconds: number): void;
    setBetweenBytesTimeout(nanoseconds: number): void;
}
interface InputStream extends Disposable {
    blockingRead(length: number): Uint8Array;
}
interface IncomingResponse extends Disposable {
    status(): number;
    headers(): Fields;
    consume(): { stream(): InputStream } & Disposable;
}
interface Nested<T> {
    tag: "ok" | "err";
    val: T;
}
interface FutureResponse extends Disposable {
    subscribe(): { block(): void } & Disposable;
    get(): Nested<Nested<unknown>> | null | undefined;
}

/** The imports `wasi:http/outgoing-handler` and `wasi:http/types`. */
export interface WasiHttp {
    handle(request: OutgoingRequest, options: RequestOptions): FutureResponse;
    types: {
        Fields: new () => Fields;
        OutgoingRequest: new (headers: Fields) => OutgoingRequest;
        OutgoingBody: { finish(body: OutgoingBody, trailers: null): void };
        RequestOptions: new () => RequestOptions;
    };
}

/** HTTP over the component's own imports. */
export function overWasi(wasi: WasiHttp): HttpSource {
    return { exchange: (request) => exchange(wasi, request) };
}

function exchange(wasi: WasiHttp, request: WireRequest): WireAnswer {
    const outgoing = compose(wasi, request);
    const body = outgoing.body();
    const waiting = attempt("sending", () => wasi.handle(outgoing, options(wasi, request.timeoutMs)));
    const unsent = write(wasi, body, request.body);
    const ready = waiting.subscribe();
    ready.block();
    drop(ready);
    const answer = waiting.get();
    // Children before parents, here and below: dropping a resource that still has children is a trap.
    drop(waiting);
    if (answer == null || answer.tag === "err") throw new Failure("broken", "no answer though it was announced");
    const { tag, val } = answer.val;
    // A receiver may answer before it has read all, and a refused request is not read at all: the answer says more.
    if (tag === "err") throw unsent !== undefined && tagOf(val) === "connection-terminated" ? unsent : failed("no answer", val);
    return read(val as IncomingResponse);
}

const drop = (resource: Disposable): void => resource[Symbol.dispose]?.();

function compose(wasi: WasiHttp, request: WireRequest): OutgoingRequest {
    const fields = new wasi.types.Fields();
    for (const [name, value] of request.headers) refuse(`header \`${name}\``, () => fields.append(name, encodeUtf8(value)));
    // Without its length a body goes out in chunks, which not every receiver takes.
    if (request.body.length > 0) fields.append("content-length", encodeUtf8(String(request.body.length)));
    const outgoing = new wasi.types.OutgoingRequest(fields);
    const known = ["get", "head", "post", "put", "delete", "options", "patch"];
    const method = request.method.toLowerCase();
    refuse("the method", () => outgoing.setMethod(known.includes(method) ? { tag: method } : { tag: "other", val: request.method }));
    refuse("the scheme", () => outgoing.setScheme({ tag: request.secure ? "HTTPS" : "HTTP" }));
    refuse(`the authority \`${request.authority}\``, () => outgoing.setAuthority(request.authority));
    refuse("the path", () => outgoing.setPathWithQuery(request.path));
    return outgoing;
}

/** Time-outs are wishes: a host that does not take one bounds the call by itself. */
function options(wasi: WasiHttp, timeoutMs: number): RequestOptions {
    const nanoseconds = Math.round(timeoutMs * 1e6);
    const options = new wasi.types.RequestOptions();
    try {
        options.setConnectTimeout(nanoseconds);
        options.setFirstByteTimeout(nanoseconds);
        options.setBetweenBytesTimeout(nanoseconds);
    } catch {
        log.debug("the host takes no time-outs for requests");
    }
    return options;
}

/** Sends the body; the failure, if it could not be sent whole. */
function write(wasi: WasiHttp, body: OutgoingBody, bytes: Uint8Array): Failure | undefined {
    const stream = body.write();
    try {
        for (let at = 0; at < bytes.length; at += WRITE) stream.blockingWriteAndFlush(bytes.slice(at, at + WRITE));
    } catch (thrown) {
        drop(stream);
        drop(body);
        return new Failure("unreachable", `sending the body: ${tagOf(thrown)}`);
    }
    drop(stream);
    attempt("ending the body", () => wasi.types.OutgoingBody.finish(body, null));
    return undefined;
}

function read(answer: IncomingResponse): WireAnswer {
    const headers: [string, string][] = [];
    const fields = answer.headers();
    for (const [name, value] of fields.entries()) {
        const text = decodeUtf8(value);
        if (text !== undefined) headers.push([name.toLowerCase(), text]);
    }
    drop(fields);
    const status = answer.status();
    const incoming = answer.consume();
    const stream = incoming.stream();
    try {
        return { status, headers, body: readAll(stream) };
    } finally {
        drop(stream);
        drop(incoming);
        drop(answer);
    }
}

function readAll(stream: InputStream): Uint8Array {
    const parts: Uint8Array[] = [];
    let length = 0;
    while (length < ANSWER_LIMIT) {
        const part = next(stream, Math.min(ANSWER_LIMIT - length, 1 << 16));
        if (part === undefined) break;
        parts.push(part);
        length += part.length;
    }
    const body = new Uint8Array(length);
    parts.reduce((at, part) => (body.set(part, at), at + part.length), 0);
    return body;
}

/** The next bytes; undefined at the end. */
function next(stream: InputStream, length: number): Uint8Array | undefined {
    try {
        return stream.blockingRead(length);
    } catch (thrown) {
        if (tagOf(thrown) === "closed") return undefined;
        throw new Failure("unreachable", `reading the answer: ${tagOf(thrown)}`);
    }
}

function attempt<T>(what: string, run: () => T): T {
    try {
        return run();
    } catch (thrown) {
        throw failed(what, thrown);
    }
}

function refuse(what: string, run: () => void): void {
    try {
        run();
    } catch (thrown) {
        throw new Failure("refused", `${what} cannot be sent: ${tagOf(thrown)}`);
    }
}

/** Codes after which another try may succeed. */
const UNREACHABLE = [
    "dns-timeout",
    "dns-error",
    "destination-not-found",
    "destination-unavailable",
    "connection-refused",
    "connection-terminated",
    "connection-timeout",
    "connection-read-timeout",
    "connection-write-timeout",
    "connection-limit-reached",
    "http-response-incomplete",
    "http-response-timeout",
    "internal-error",
];

/** Codes by which the host or its rules refuse. */
const REFUSED = ["destination-ip-prohibited", "destination-ip-unroutable", "http-request-denied"];

/** The rest say how a message or a certificate is wrong: sending it again changes nothing. */
function failed(what: string, code: unknown): Failure {
    const tag = tagOf(code).toLowerCase();
    const kind = UNREACHABLE.includes(tag) ? "unreachable" : REFUSED.includes(tag) ? "refused" : "broken";
    const detail = (code as { val?: unknown } | undefined)?.val;
    return new Failure(
        kind,
        `${what}: ${tag}${detail == null ? "" : ` (${typeof detail === "string" ? detail : JSON.stringify(detail)})`}`,
    );
}

function tagOf(thrown: unknown): string {
    const { tag, payload, message } = (thrown ?? {}) as { tag?: string; payload?: unknown; message?: string };
    if (typeof tag === "string") return tag;
    return payload === undefined ? (message ?? String(thrown)) : tagOf(payload);
}
