// Where the host's functions come from: in a component the imports of its world, in tests what `testing` puts there.
// The rest of the SDK asks here and knows neither. A part that is missing was not imported by this kind of plugin.

import type { Wish } from "./contract.js";

/** How important a log line is. */
export type Level = "trace" | "debug" | "info" | "warn" | "error";

/** Distribution functions. */
export interface StatsSource {
    normalCdf(x: number): number;
    normalQuantile(p: number): number;
    studentTSf(x: number, df: number): number;
    chiSquaredSf(x: number, df: number): number;
    fisherFSf(x: number, d1: number, d2: number): number;
    betaRegularized(a: number, b: number, x: number): number;
    lnGamma(x: number): number;
}

/** Seeded randomness, at most 131072 numbers a call. */
export interface RandomSource {
    uniform(count: number): ArrayLike<number>;
    normal(count: number): ArrayLike<number>;
}

/** One exchange over HTTP. */
export interface HttpSource {
    exchange(request: WireRequest): WireAnswer;
}

/** A request that was checked and taken apart. */
export interface WireRequest {
    method: string;
    secure: boolean;
    authority: string;
    path: string;
    headers: readonly (readonly [string, string])[];
    body: Uint8Array;
    timeoutMs: number;
    url: string;
}

/** An answer: status, headers with lower-case names, at most a megabyte of the body. */
export interface WireAnswer {
    status: number;
    headers: [string, string][];
    body: Uint8Array;
}

/** All a host may offer. */
export interface Host {
    log?: { write(level: Level, message: string): void };
    stats?: StatsSource;
    random?: RandomSource;
    clock?: { nowMs(): number };
    secrets?: { get(name: string): string | null | undefined };
    progress?: { report(done: number, total: number, trainLoss: number, validationLoss: number): Wish };
    http?: HttpSource;
}

let current: Host = {};

/** Makes this the host from now on. */
export function connect(host: Host): void {
    current = host;
}

/** A part of the host. Throws where the plugin's kind or its manifest does not have it. */
export function part<K extends keyof Host>(name: K): NonNullable<Host[K]> {
    const found = current[name];
    if (found === undefined) throw new Error(`the host's \`${name}\` is not there: ${WHY[name]}`);
    return found;
}

/** Whether a part is there. */
export function has(name: keyof Host): boolean {
    return current[name] !== undefined;
}

const TESTS = 'in a test import "bellwether/testing" first';
const WHY: Record<keyof Host, string> = {
    log: TESTS,
    stats: `only drift tests, detectors, strategies and models that fit themselves have it; ${TESTS}`,
    random: `only drift tests and models that fit themselves have it; ${TESTS}`,
    clock: `only alert handlers with \`clock = true\` under [wants] have it; ${TESTS}`,
    secrets: `only alert handlers with \`secrets\` under [wants] have it; ${TESTS}`,
    progress: `only models that fit themselves have it; ${TESTS}`,
    http: `only alert handlers with \`http\` under [wants] have it; ${TESTS}`,
};
