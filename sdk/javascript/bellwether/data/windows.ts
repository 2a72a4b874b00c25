// Model inputs: windows of feature rows, and their targets, read in pieces of whole samples.

import { CHUNK, LIMIT, unpack, type WindowsSource } from "./source.js";

/** Up to so many steps whole windows as bytes are cheaper to carry over than their last rows as a list. */
const FEW_STEPS = 32;

/** Some samples in a row. */
export class Chunk {
    constructor(
        /** Place of the first sample. */
        readonly first: number,
        /** Numbers per sample: steps · features for whole windows, features for last rows. */
        readonly width: number,
        /** The numbers, sample after sample. */
        readonly values: Float64Array,
    ) {}

    /** Number of samples. */
    get length(): number {
        return this.values.length / this.width;
    }

    /** The samples, each `width` numbers; views, not copies. */
    *samples(): Generator<Float64Array, void, undefined> {
        for (let at = 0; at < this.values.length; at += this.width) yield this.values.subarray(at, at + this.width);
    }
}

/** `samples` windows of `steps` time steps of some features, and one target each. */
export class Windows {
    #source: WindowsSource;

    constructor(source: WindowsSource) {
        this.#source = source;
    }

    /** Number of samples. */
    get samples(): number {
        return this.#source.samples();
    }

    /** Time steps per window. */
    get steps(): number {
        return this.#source.steps();
    }

    /** Names of the features, in order. */
    get features(): string[] {
        return this.#source.features();
    }

    /** Whole windows, row-major [step, feature] per sample, about 65 536 numbers at a time. */
    *chunks(): Generator<Chunk, void, undefined> {
        const width = this.steps * this.features.length;
        yield* this.#pieces(width, (offset, count) => unpack(this.#source.readBytes(offset, count)));
    }

    /**
     * Only the last time step of each window, one number per feature, about 65 536 numbers at a time: enough for models
     * without memory, and `lastStepOnly` in the plan spares the host the rest.
     */
    *lastRows(): Generator<Chunk, void, undefined> {
        const width = this.features.length;
        if (this.steps > FEW_STEPS) {
            yield* this.#pieces(width, (offset, count) => Float64Array.from(this.#source.readLast(offset, count)));
            return;
        }
        for (const chunk of this.chunks()) yield new Chunk(chunk.first, width, lastOf(chunk, width));
    }

    /** The targets of all samples; empty when predicting. */
    targets(): Float64Array {
        const targets = new Float64Array(this.samples);
        let at = 0;
        while (at < targets.length) {
            const part = this.#source.targets(at, CHUNK);
            if (part.length === 0) break;
            targets.set(part, at);
            at += part.length;
        }
        return targets.subarray(0, at);
    }

    /** Reads pieces until all samples are there. */
    *#pieces(width: number, read: (offset: number, count: number) => Float64Array): Generator<Chunk, void, undefined> {
        const samples = width === 0 ? 0 : this.samples;
        const count = Math.max(1, Math.floor(CHUNK / width));
        for (let first = 0; first < samples; ) {
            const values = read(first, count);
            if (values.length < width)
                throw new RangeError(`a sample of ${width} numbers is more than the host gives in one call (${LIMIT})`);
            const chunk = new Chunk(first, width, values);
            first += chunk.length;
            yield chunk;
        }
    }
}

function lastOf(chunk: Chunk, features: number): Float64Array {
    if (chunk.width === features) return chunk.values;
    const last = new Float64Array(chunk.length * features);
    for (let sample = 0; sample < chunk.length; sample++) {
        const end = (sample + 1) * chunk.width;
        last.set(chunk.values.subarray(end - features, end), sample * features);
    }
    return last;
}
