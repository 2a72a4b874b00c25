// `{{name}}`: the Page-Hinkley test (Page 1954, Hinkley 1971) for a change of the mean, in either direction. It sums how far
// each value lies from the mean of all before it; when the sum has come `threshold` from its extreme, the mean has moved.
// After drift it starts anew.

import { driftDetector, invalidInput, Reader, Writer } from "bellwether";
import { PageHinkley } from "./page-hinkley.ts";

const NAME = "{{name}}";
const LAYOUT = 1;

export default driftDetector({
    name: NAME,
    version: "0.1.0",
    summary: "Page-Hinkley test for a change of the mean, in either direction.",
    configSchema: {
        type: "object",
        additionalProperties: false,
        properties: {
            least_values: { type: "integer", minimum: 1, default: 30, description: "Values to see before drift can be told." },
            tolerance: { type: "number", minimum: 0, default: 0.005, description: "How far a value may lie from the mean for nothing." },
            threshold: { type: "number", exclusiveMinimum: 0, default: 50, description: "Sum of distances at which the mean has moved." },
            forget: {
                type: "number",
                exclusiveMinimum: 0,
                maximum: 1,
                default: 0.9999,
                description: "Share of the sums kept from one value to the next.",
            },
        },
    },

    // The state before any value. States are the plugin's own bytes; the host keeps them between calls.
    start: () => toBytes(new PageHinkley()),

    // Some values in order. However a list is split over calls, the events are the same.
    update(state, values, config) {
        let detector = fromBytes(state);
        const events = [];
        for (const [index, value] of values.entries()) {
            // A missing value says nothing; infinities would make every sum infinite for good.
            if (!Number.isFinite(value)) continue;
            const statistic = detector.add(value, config);
            if (statistic > config.threshold && detector.count >= config.least_values) {
                events.push({ index, severity: "drift" as const, statistic: Math.min(statistic, Number.MAX_VALUE) });
                detector = new PageHinkley();
            }
        }
        return { state: toBytes(detector), events };
    },
});

function toBytes(detector: PageHinkley): Uint8Array {
    return new Writer(NAME, LAYOUT).whole(detector.count).numbers(detector.numbers()).finish();
}

function fromBytes(state: Uint8Array): PageHinkley {
    const reader = new Reader(state, NAME, LAYOUT);
    const count = reader.whole();
    const numbers = reader.exactly(5);
    reader.finish();
    if (!numbers.every(Number.isFinite)) throw invalidInput(`the \`${NAME}\` state is damaged: it holds numbers that are not finite`);
    return PageHinkley.of(count, numbers);
}
