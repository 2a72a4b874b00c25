// Numbers the host lends, as the host hands them over: resources of `bellwether:host/data`. In tests `testing` has the same
// in memory. Lists of numbers are slow to carry over in JavaScript, so both sides speak packed bytes where there is a choice.

import type { ColumnKind, Moments } from "../contract.js";

/** Most rows or numbers the host gives in one call. */
export const LIMIT = 131_072;

/** Rows or numbers asked for in one call: half of what the host allows, half a megabyte. */
export const CHUNK = 65_536;

/** A column. */
export interface ColumnSource {
    name(): string;
    kind(): ColumnKind;
    len(): number;
    readBytes(offset: number, count: number): Uint8Array;
    moments(): Moments;
    quantiles(probabilities: number[]): number[];
    histogram(edges: number[]): number[];
}

/** A frame. */
export interface FrameSource {
    rows(): number;
    names(): string[];
    column(index: number): ColumnSource | null | undefined;
}

/** Windows. */
export interface WindowsSource {
    samples(): number;
    steps(): number;
    features(): string[];
    readBytes(offset: number, count: number): Uint8Array;
    readLast(offset: number, count: number): number[];
    targets(offset: number, count: number): number[];
}

/** Packed little-endian bytes as numbers. WebAssembly and every machine Node runs on are little-endian. */
export function unpack(bytes: Uint8Array): Float64Array {
    const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
    return new Float64Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 8);
}
