// Seeded randomness (ChaCha8). The host seeds it per call, from the job's seed: the same call draws the same numbers.
// In tests another generator with a seed of its own stands in: good for a plugin's logic, not the host's numbers.

import { LIMIT } from "./data/source.js";
import { part, type RandomSource } from "./host.js";

/** `count` numbers uniform in [0, 1). */
export const uniform = (count: number): Float64Array => draw("uniform", count);

/** `count` standard normal numbers. */
export const normal = (count: number): Float64Array => draw("normal", count);

/** 0 to `count` - 1 in random order (Fisher and Yates). */
export function permutation(count: number): Uint32Array {
    const order = Uint32Array.from({ length: count }, (_, place) => place);
    const draws = uniform(count);
    for (let last = count - 1; last > 0; last--) {
        const place = Math.floor((draws[last] as number) * (last + 1));
        const kept = order[last] as number;
        order[last] = order[place] as number;
        order[place] = kept;
    }
    return order;
}

function draw(law: keyof RandomSource, count: number): Float64Array {
    const numbers = new Float64Array(count);
    for (let at = 0; at < count; at += LIMIT) numbers.set(part("random")[law](Math.min(LIMIT, count - at)), at);
    return numbers;
}
