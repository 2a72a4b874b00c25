// The host in a test: what it was told, and what it answers. One per process; `reset` begins anew.

import type { Wish } from "../contract.js";
import { connect, type Level, type RandomSource, type WireRequest } from "../host.js";
import { Failure } from "../http/client.js";
import { decodeUtf8Lossy, encodeUtf8 } from "../text.js";
import { special } from "./special.js";

/** A line the plugin logged. */
export interface Line {
    level: Level;
    message: string;
}

/** A request the plugin sent. */
export interface Sent {
    method: string;
    url: string;
    /** Names in lower case. */
    headers: Record<string, string>;
    /** The body as text. */
    body: string;
}

/** An answer to a request. */
export interface Answer {
    status: number;
    headers?: Record<string, string>;
    body?: string;
}

/** Lines logged since the last `reset`. */
export const lines: Line[] = [];

/** Requests sent since the last `reset`. */
export const requests: Sent[] = [];

const secrets = new Map<string, string>();
let now = 0;
let state = 42n;
let wish: (done: number) => Wish = () => "proceed";
let respond: (request: Sent) => Answer = refuseAll;

function refuseAll(): Answer {
    throw new Failure("refused", "no answer is set for this test: call testing.respondWith");
}

/** Forgets lines, requests, secrets, time, answers and wishes, and seeds randomness with 42. */
export function reset(): void {
    lines.length = 0;
    requests.length = 0;
    secrets.clear();
    now = 0;
    wish = () => "proceed";
    respond = refuseAll;
    seed(42);
}

/** Sets a secret. */
export function setSecret(name: string, value: string): void {
    secrets.set(name, value);
}

/** Sets the time, milliseconds since 1970-01-01T00:00:00Z. */
export function setNowMs(ms: number): void {
    now = ms;
}

/** Seeds randomness. The numbers are not the host's; the same seed gives the same ones. */
export function seed(value: number): void {
    state = BigInt(value);
}

/** Answers requests; throw `failure(...)` for no answer. */
export function respondWith(answer: Answer | ((request: Sent) => Answer)): void {
    respond = typeof answer === "function" ? answer : () => answer;
}

/** A request without an answer, for `respondWith` to throw. */
export const failure = (kind: Failure["kind"], message: string): Failure => new Failure(kind, message);

/** Asks a fit to stop once `done` steps are reported. */
export function stopAfter(done: number): void {
    wish = (reported) => (reported >= done ? "stop" : "proceed");
}

/** SplitMix64 (Steele, Lea and Flood 2014), upper 53 bits. */
function draw(): number {
    const mask = 0xffff_ffff_ffff_ffffn;
    state = (state + 0x9e37_79b9_7f4a_7c15n) & mask;
    let mixed = ((state ^ (state >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & mask;
    mixed = ((mixed ^ (mixed >> 27n)) * 0x94d0_49bb_1331_11ebn) & mask;
    return Number((mixed ^ (mixed >> 31n)) >> 11n) / 2 ** 53;
}

const random: RandomSource = {
    uniform: (count) => Array.from({ length: count }, draw),
    // Box and Muller 1958.
    normal: (count) => Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw())),
};

function exchange(request: WireRequest): { status: number; headers: [string, string][]; body: Uint8Array } {
    const headers = Object.fromEntries(request.headers.map(([name, value]) => [name.toLowerCase(), value]));
    const sent = { method: request.method, url: request.url, headers, body: decodeUtf8Lossy(request.body) };
    requests.push(sent);
    const answer = respond(sent);
    const given = Object.entries(answer.headers ?? {}).map(([name, value]): [string, string] => [name.toLowerCase(), value]);
    return { status: answer.status, headers: given, body: encodeUtf8(answer.body ?? "") };
}

connect({
    log: { write: (level, message) => void lines.push({ level, message }) },
    stats: special,
    random,
    clock: { nowMs: () => now },
    secrets: { get: (name) => secrets.get(name) },
    progress: { report: (done) => wish(done) },
    http: { exchange },
});
