// State and baselines as bytes: a tag and a version in front, little-endian numbers behind. The layout is that of the Rust
// SDK. What comes back from the host may be another plugin's, an older version's or damaged: the reader checks every length
// before it allocates and throws `invalid-input`.

import { invalidInput, type PluginError } from "./errors.js";
import { decodeUtf8, encodeUtf8 } from "./text.js";

/** Writes a state. */
export class Writer {
    #parts: Uint8Array[] = [];
    #length = 0;

    /** Begins a state of this kind and layout. Raise `version` whenever the layout changes. */
    constructor(tag: string, version: number) {
        this.text(tag);
        const bytes = new Uint8Array(4);
        new DataView(bytes.buffer).setUint32(0, version, true);
        this.#push(bytes);
    }

    /** A whole number from 0 to 2^53 - 1. */
    whole(value: number): this {
        if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is no whole number that can be written`);
        const bytes = new Uint8Array(8);
        new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
        return this.#push(bytes);
    }

    /** A real number, bit for bit. */
    number(value: number): this {
        const bytes = new Uint8Array(8);
        new DataView(bytes.buffer).setFloat64(0, value, true);
        return this.#push(bytes);
    }

    /** Real numbers with their count. */
    numbers(values: ArrayLike<number>): this {
        this.whole(values.length);
        return this.#push(new Uint8Array(Float64Array.from(values).buffer));
    }

    /** A text. */
    text(text: string): this {
        return this.bytes(encodeUtf8(text));
    }

    /** Texts with their count. */
    texts(texts: readonly string[]): this {
        this.whole(texts.length);
        for (const text of texts) this.text(text);
        return this;
    }

    /** Bytes with their count: a part with a layout of its own. */
    bytes(bytes: Uint8Array): this {
        this.whole(bytes.length);
        return this.#push(bytes.slice());
    }

    /** The bytes. */
    finish(): Uint8Array {
        const whole = new Uint8Array(this.#length);
        let at = 0;
        for (const part of this.#parts) {
            whole.set(part, at);
            at += part.length;
        }
        return whole;
    }

    #push(part: Uint8Array): this {
        this.#parts.push(part);
        this.#length += part.length;
        return this;
    }
}

/** Reads a state, in the order it was written. */
export class Reader {
    #bytes: Uint8Array;
    #view: DataView;
    #at = 0;
    #tag: string;

    /** Opens a state. Throws `invalid-input` for one of another kind or version. */
    constructor(bytes: Uint8Array, tag: string, version: number) {
        this.#bytes = bytes;
        this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        this.#tag = tag;
        if (this.#tagOrNothing() !== tag) throw invalidInput(`these ${bytes.length} bytes are not a \`${tag}\` state`);
        const found = this.#view.getUint32(this.#take(4), true);
        if (found !== version) {
            throw invalidInput(`\`${tag}\` state of version ${found}, this plugin reads version ${version}: make it again`);
        }
    }

    /** A whole number. */
    whole(): number {
        const value = this.#view.getBigUint64(this.#take(8), true);
        if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.#damaged();
        return Number(value);
    }

    /** A real number. */
    number(): number {
        return this.#view.getFloat64(this.#take(8), true);
    }

    /** Real numbers. */
    numbers(): Float64Array {
        const bytes = this.#counted(8);
        return new Float64Array(bytes.slice().buffer);
    }

    /** Real numbers that must be so many; a state that holds another count is damaged. */
    exactly(count: number): Float64Array {
        const numbers = this.numbers();
        if (numbers.length !== count) throw this.#damaged();
        return numbers;
    }

    /** A text. */
    text(): string {
        const text = decodeUtf8(this.#counted(1));
        if (text === undefined) throw this.#damaged();
        return text;
    }

    /** Texts. */
    texts(): string[] {
        const count = this.whole();
        // Each text takes at least its eight bytes of length, so a false count fails before it costs memory.
        if (count > (this.#bytes.length - this.#at) / 8) throw this.#damaged();
        return Array.from({ length: count }, () => this.text());
    }

    /** Bytes, as many as were written. */
    bytes(): Uint8Array {
        return this.#counted(1).slice();
    }

    /** Nothing may be left; throws `invalid-input` when something is. */
    finish(): void {
        if (this.#at !== this.#bytes.length) throw this.#damaged();
    }

    #tagOrNothing(): string | undefined {
        try {
            return this.text();
        } catch {
            return undefined;
        }
    }

    #take(length: number): number {
        const at = this.#at;
        if (length > this.#bytes.length - at) throw this.#damaged();
        this.#at += length;
        return at;
    }

    #counted(width: number): Uint8Array {
        const length = this.whole() * width;
        const at = this.#take(length);
        return this.#bytes.subarray(at, at + length);
    }

    #damaged(): PluginError {
        return invalidInput(`the \`${this.#tag}\` state is damaged: its lengths do not fit its bytes`);
    }
}
