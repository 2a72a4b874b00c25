// Outgoing HTTP for alert handlers, over `wasi:http`.
//
// The host sends the request with its own client and only to origins the operator granted (`http` under [wants]). Failures
// become the errors the host's retry understands: `transient` for what another try may cure (no connection, a time-out, 408,
// 425, 429 and every 5xx), something else for what it cannot (a refused origin, any other status). Redirects are not
// followed: they could lead to an origin nobody granted.

import type { Json } from "../contract.js";
import { invalidConfig, other, type PluginError, transient } from "../errors.js";
import { part } from "../host.js";
import { cut, decodeUtf8Lossy, encodeUtf8 } from "../text.js";
import { parseUrl } from "./url.js";

/** A request. */
export interface Request {
    /** `POST` unless it says otherwise. */
    method?: string;
    /** `https://host[:port]/path?query`. */
    url: string;
    headers?: Readonly<Record<string, string>>;
    body?: string | Uint8Array;
    /** Most time to connect, to the first byte and between bytes, each; 10 000 unless it says otherwise. */
    timeoutMs?: number;
}

/** An answer. */
export class Response {
    constructor(
        readonly status: number,
        /** Names, in lower case, and values that are text. */
        readonly headers: readonly (readonly [string, string])[],
        /** At most a megabyte of the body. */
        readonly body: Uint8Array,
    ) {}

    /** 2xx. */
    get ok(): boolean {
        return this.status >= 200 && this.status < 300;
    }

    /** The body as text; what is no UTF-8 is replaced. */
    text(): string {
        return decodeUtf8Lossy(this.body);
    }

    /** The body as JSON; undefined where it is none. */
    json(): unknown {
        try {
            return JSON.parse(this.text());
        } catch {
            return undefined;
        }
    }

    /** The first header of a name, whatever its case. */
    header(name: string): string | undefined {
        return this.headers.find(([found]) => found === name.toLowerCase())?.[1];
    }

    /** The error for this status: `transient` where another try may help, else `http-404` and so on. */
    error(): PluginError {
        const message = `the receiver answered ${this.status}: ${cut(this.text().trim(), 200)}`;
        return isTransient(this.status) ? transient(message) : other(`http-${this.status}`, message);
    }
}

/** Whether another try may help: 408, 425, 429 and every 5xx. */
export const isTransient = (status: number): boolean => status === 408 || status === 425 || status === 429 || status >= 500;

/**
 * Sends a request and returns the answer whatever its status. Throws `invalid-config` for a bad URL or header and for an
 * origin that was not granted, `transient` where another try may succeed.
 */
export function send(request: Request): Response {
    const url = parseUrl(request.url);
    const headers = Object.entries(request.headers ?? {}).filter(([name]) => name.toLowerCase() !== "content-length");
    const wrong = headers.find(([name, value]) => !wellFormed(name, value));
    if (wrong !== undefined) throw invalidConfig(`\`${JSON.stringify(wrong[0]).slice(1, -1)}\` is not a header that can be sent`);
    const body = typeof request.body === "string" ? encodeUtf8(request.body) : (request.body ?? new Uint8Array());
    const { secure, authority, path } = url;
    const wire = { method: request.method ?? "POST", secure, authority, path, headers, body, timeoutMs: request.timeoutMs ?? 10_000 };
    try {
        const answer = part("http").exchange({ ...wire, url: request.url });
        return new Response(answer.status, answer.headers, answer.body);
    } catch (thrown) {
        throw thrown instanceof Failure ? thrown.toError(url.origin) : thrown;
    }
}

/** Posts a JSON document and returns the answer when its status is 2xx. `content-type` is set unless `headers` has one. */
export function postJson(url: string, body: Json, options: Pick<Request, "headers" | "timeoutMs"> = {}): Response {
    const headers = { ...options.headers };
    if (!Object.keys(headers).some((name) => name.toLowerCase() === "content-type")) headers["content-type"] = "application/json";
    const response = send({ ...options, url, headers, body: JSON.stringify(body) });
    if (!response.ok) throw response.error();
    return response;
}

/** A header name is a token and its value has no control character: a line break would start another header. */
function wellFormed(name: string, value: string): boolean {
    return /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/.test(name) && /^[\t\x20-\x7e\x80-\u{10ffff}]*$/u.test(value);
}

/**
 * A request without an answer. `unreachable`: no connection, or it broke, or time ran out; another try may succeed.
 * `refused`: the host or its rules refuse it. `broken`: a certificate or the protocol is wrong, and stays so.
 */
export class Failure extends Error {
    constructor(
        readonly kind: "unreachable" | "refused" | "broken",
        message: string,
    ) {
        super(message);
        this.name = "Failure";
    }

    /** The plugin's error for it. */
    toError(origin: string): PluginError {
        const message = `${origin}: ${this.message}`;
        if (this.kind === "unreachable") return transient(message);
        if (this.kind === "refused") return invalidConfig(`${message} (has the operator granted this origin?)`);
        return other("http-failed", message);
    }
}
