// Columns and frames. A plugin chooses between holding all numbers and holding a part; the aggregates (`moments`,
// `quantiles`, `histogram`) are computed by the host without the numbers crossing at all.

import type { ColumnKind, Moments } from "../contract.js";
import { invalidInput } from "../errors.js";
import { CHUNK, type ColumnSource, type FrameSource, LIMIT, unpack } from "./source.js";

/** One column of 64-bit floats, in row order. NaN is a missing value. */
export class Column {
    #source: ColumnSource;

    constructor(source: ColumnSource) {
        this.#source = source;
    }

    /** The column's name, for example `rsi(14)`. */
    get name(): string {
        return this.#source.name();
    }

    /** What the numbers mean. */
    get kind(): ColumnKind {
        return this.#source.kind();
    }

    /** Number of rows, missing values included. */
    get length(): number {
        return this.#source.len();
    }

    /** Rows `offset .. offset + count`, clipped to the column and to what the host gives in one call (131 072). */
    read(offset: number, count: number): Float64Array {
        return unpack(this.#source.readBytes(offset, count));
    }

    /** The rows in order, in pieces of 65 536: for columns too large to hold. */
    *chunks(): Generator<Float64Array, void, undefined> {
        for (let offset = 0; ; ) {
            const chunk = this.read(offset, CHUNK);
            if (chunk.length === 0) return;
            offset += chunk.length;
            yield chunk;
        }
    }

    /** All rows, missing values as NaN. */
    values(): Float64Array {
        const values = new Float64Array(this.length);
        let at = 0;
        for (const chunk of this.chunks()) {
            values.set(chunk, at);
            at += chunk.length;
        }
        return values;
    }

    /** The rows that have a value. */
    present(): Float64Array {
        return this.values().filter((value) => !Number.isNaN(value));
    }

    /** Count, mean, variance and range of the present values. */
    moments(): Moments {
        return this.#source.moments();
    }

    /**
     * Quantiles of the present values by linear interpolation between order statistics (type 7), for probabilities in
     * [0, 1]; NaN for a column without values.
     */
    quantiles(probabilities: readonly number[]): number[] {
        if (probabilities.length > LIMIT) throw new RangeError(`${probabilities.length} probabilities in one call; at most ${LIMIT}`);
        return this.#source.quantiles([...probabilities]);
    }

    /**
     * Counts of present values between ascending edges: n edges give n + 1 counts, the first below `edges[0]`, the last
     * at or above the last edge; a value on an edge counts to the bin on its right.
     * Throws `invalid-input` for edges that do not ascend: made from data, they tell of a column that cannot be binned.
     */
    histogram(edges: ArrayLike<number>): number[] {
        const list = Array.from(edges);
        if (list.length > LIMIT) throw new RangeError(`${list.length} edges in one call; at most ${LIMIT}`);
        const wrong = list.findIndex((edge, place) => !(place === 0 ? edge === edge : edge >= (list[place - 1] as number)));
        if (wrong >= 0) throw invalidInput(`the edges of a histogram must ascend, and ${list[wrong]} stands at place ${wrong}`);
        return this.#source.histogram(list);
    }
}

/** Columns of one length. */
export class Frame {
    #source: FrameSource;

    constructor(source: FrameSource) {
        this.#source = source;
    }

    /** Number of rows. */
    get rows(): number {
        return this.#source.rows();
    }

    /** Names of the columns, in order. */
    get names(): string[] {
        return this.#source.names();
    }

    /** The column at a place in `names`; undefined past the end. */
    column(index: number): Column | undefined {
        const source = this.#source.column(index);
        return source == null ? undefined : new Column(source);
    }

    /** The columns, in order. */
    *columns(): Generator<Column, void, undefined> {
        for (let index = 0; ; index++) {
            const column = this.column(index);
            if (column === undefined) return;
            yield column;
        }
    }

    /** The one column of the frame a univariate test is given. Throws `invalid-input` when there are none or several. */
    onlyColumn(): Column {
        const names = this.names;
        const column = this.column(0);
        if (column === undefined) throw invalidInput("the frame has no column");
        if (names.length > 1) throw invalidInput(`one column expected, ${names.length} given: ${names.join(", ")}`);
        return column;
    }
}
