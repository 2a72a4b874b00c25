// The Page-Hinkley sums. They know nothing of plugins, so they can be tested against another implementation.

/** Settings of the sums. */
export interface Settings {
    tolerance: number;
    forget: number;
}

/** The sums after some values. */
export class PageHinkley {
    /** Values seen. */
    count = 0;
    #mean = 0;
    #up = 0;
    #lowest = 0;
    #down = 0;
    #highest = 0;

    /** Out of what `count` and `numbers` gave. */
    static of(count: number, numbers: ArrayLike<number>): PageHinkley {
        const sums = new PageHinkley();
        sums.count = count;
        [sums.#mean, sums.#up, sums.#lowest, sums.#down, sums.#highest] = Array.from(numbers);
        return sums;
    }

    /** All but `count`, for `of`. */
    numbers(): number[] {
        return [this.#mean, this.#up, this.#lowest, this.#down, this.#highest];
    }

    /** Takes a value; returns how far the sums have come from their extremes. */
    add(value: number, { tolerance, forget }: Settings): number {
        this.count++;
        // Two quotients, for the difference of two large numbers may be infinite.
        this.#mean = bounded(this.#mean + (value / this.count - this.#mean / this.count));
        const distance = bounded(value - this.#mean);
        this.#up = bounded(forget * this.#up + distance - tolerance);
        this.#down = bounded(forget * this.#down + distance + tolerance);
        this.#lowest = Math.min(this.#lowest, this.#up);
        this.#highest = Math.max(this.#highest, this.#down);
        return Math.max(this.#up - this.#lowest, this.#highest - this.#down);
    }
}

const bounded = (value: number): number => Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));
