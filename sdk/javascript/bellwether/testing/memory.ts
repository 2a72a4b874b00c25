// Columns and windows in memory. They answer as the host's do, and clip as the host clips.

import type { ColumnKind, Moments } from "../contract.js";
import { type ColumnSource, type FrameSource, LIMIT, type WindowsSource } from "../data/source.js";

/** A column; NaN is a missing value. */
export class MemoryColumn implements ColumnSource {
    readonly #name: string;
    readonly #values: Float64Array;
    readonly #kind: ColumnKind;

    constructor(name: string, values: ArrayLike<number>, kind: ColumnKind = "numeric") {
        this.#name = name;
        this.#values = Float64Array.from(values);
        this.#kind = kind;
    }

    name(): string {
        return this.#name;
    }

    kind(): ColumnKind {
        return this.#kind;
    }

    len(): number {
        return this.#values.length;
    }

    readBytes(offset: number, count: number): Uint8Array {
        return packed(group(this.#values, offset, Math.min(count, LIMIT), 1));
    }

    moments(): Moments {
        const present = this.#present();
        const count = present.length;
        const mean = sum(present) / count;
        const variance = sum(present.map((value) => (value - mean) ** 2)) / count;
        const [minimum, maximum] = [present[0] ?? Number.NaN, present.at(-1) ?? Number.NaN];
        return { count, missing: this.#values.length - count, mean, variance, minimum, maximum };
    }

    quantiles(probabilities: number[]): number[] {
        const sorted = this.#present();
        return probabilities.map((probability) => {
            if (sorted.length === 0 || !(probability >= 0 && probability <= 1)) return Number.NaN;
            const place = probability * (sorted.length - 1);
            const [below, above] = [sorted[Math.floor(place)] as number, sorted[Math.ceil(place)] as number];
            return below + (above - below) * (place % 1);
        });
    }

    histogram(edges: number[]): number[] {
        const counts = new Array<number>(edges.length + 1).fill(0);
        for (const value of this.#present()) {
            const above = edges.findIndex((edge) => edge > value);
            const bin = above < 0 ? edges.length : above;
            counts[bin] = (counts[bin] as number) + 1;
        }
        return counts;
    }

    /** The present values, ascending. */
    #present(): Float64Array {
        return this.#values.filter((value) => !Number.isNaN(value)).sort();
    }
}

/** A frame. */
export class MemoryFrame implements FrameSource {
    constructor(readonly all: readonly MemoryColumn[]) {}

    rows(): number {
        return this.all[0]?.len() ?? 0;
    }

    names(): string[] {
        return this.all.map((column) => column.name());
    }

    column(index: number): ColumnSource | undefined {
        return this.all[index];
    }
}

/** Windows: numbers row-major [sample, step, feature]. */
export class MemoryWindows implements WindowsSource {
    readonly #features: readonly string[];
    readonly #steps: number;
    readonly #values: Float64Array;
    readonly #targets: Float64Array;

    constructor(features: readonly string[], steps: number, values: ArrayLike<number>, targets: ArrayLike<number>) {
        this.#features = features;
        this.#steps = steps;
        this.#values = Float64Array.from(values);
        this.#targets = Float64Array.from(targets);
    }

    samples(): number {
        return this.#values.length / this.#width();
    }

    steps(): number {
        return this.#steps;
    }

    features(): string[] {
        return [...this.#features];
    }

    readBytes(offset: number, count: number): Uint8Array {
        const most = Math.max(1, Math.floor(LIMIT / this.#width()));
        return packed(group(this.#values, offset, Math.min(count, most), this.#width()));
    }

    readLast(offset: number, count: number): number[] {
        const features = this.#features.length;
        const most = Math.min(count, Math.max(1, Math.floor(LIMIT / features)), this.samples() - offset);
        const rows: number[] = [];
        for (let sample = offset; sample < offset + most; sample++) {
            const end = (sample + 1) * this.#width();
            rows.push(...this.#values.subarray(end - features, end));
        }
        return rows;
    }

    targets(offset: number, count: number): number[] {
        return Array.from(group(this.#targets, offset, Math.min(count, LIMIT), 1));
    }

    #width(): number {
        return this.#steps * this.#features.length;
    }
}

/** `count` groups of `width` from group `offset`, clipped to what there is. */
function group(values: Float64Array, offset: number, count: number, width: number): Float64Array {
    return values.slice(offset * width, (offset + count) * width);
}

function packed(values: Float64Array): Uint8Array {
    return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** The sum with its rounding errors carried along (Neumaier 1974), as long sums of a host's are no worse. */
function sum(values: Float64Array): number {
    let [total, lost] = [0, 0];
    for (const value of values) {
        const next = total + value;
        lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
        total = next;
    }
    return total + lost;
}
