// `{{name}}`: drift when the median of a column leaves the middle half of the reference, widened as configured.
// It never reads the column: the host computes counts and quantiles natively.

import { driftTest, invalidInput, Reader, univariate, Writer } from "bellwether";

const NAME = "{{name}}";
const LAYOUT = 1;

export default driftTest({
    name: NAME,
    version: "0.1.0",
    summary: "Drift when the median leaves the middle half of the reference.",
    configSchema: {
        type: "object",
        additionalProperties: false,
        properties: {
            widen: {
                type: "number",
                exclusiveMinimum: 0,
                default: 1,
                description: "How far the median may move, in halves of the reference's interquartile range.",
            },
        },
    },
    accepts: univariate(30),

    // Called once, at training. What it returns is stored with the model version.
    baseline(reference) {
        const column = reference.onlyColumn();
        const quartiles = column.quantiles([0.25, 0.5, 0.75]);
        return new Writer(NAME, LAYOUT).whole(column.moments().count).numbers(checked(quartiles)).finish();
    },

    // Called by every monitor that uses the test, with the bytes from above.
    test(baseline, current, config) {
        const reader = new Reader(baseline, NAME, LAYOUT);
        const referenceCount = reader.whole();
        const [lower, median, upper] = checked([...reader.exactly(3)]);
        reader.finish();

        const column = current.onlyColumn();
        const [found] = checked(column.quantiles([0.5]));
        const distance = finite(Math.abs(found - median));
        const threshold = finite((config.widen * (upper - lower)) / 2);
        return {
            statistic: distance,
            score: distance,
            threshold,
            drifted: distance > threshold,
            referenceCount,
            currentCount: column.moments().count,
            detail: { reference_quartiles: [lower, median, upper], current_median: found },
        };
    },
});

/** Quantiles that can be compared: a column without values has none, and infinities have no distance. */
function checked(quantiles: number[]): number[] {
    if (quantiles.every(Number.isFinite)) return quantiles;
    throw invalidInput(`the quantiles are [${quantiles.join(", ")}]: the column needs finite values`);
}

/** The host takes finite numbers only, and the difference of two large ones may not be. */
function finite(value: number): number {
    return Math.min(value, Number.MAX_VALUE);
}
