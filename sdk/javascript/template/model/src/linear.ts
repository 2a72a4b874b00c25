// Ridge regression by its normal equations; logistic regression by Newton's method, each round of which is a weighted ridge
// regression (iteratively reweighted least squares). The intercept comes last and is not penalised. Rows are read anew each
// round, so memory stays that of one chunk.

import { invalidInput, progress, type Task } from "bellwether";

/** What is learned from; `rows` gives one row per target, in order. */
export interface Data {
    width: number;
    targets: Float64Array;
    rows(): Iterable<Float64Array>;
}

/** Change of the coefficients, relative to the largest, below which Newton's method has arrived. */
const ARRIVED = 1e-10;

/** The coefficients, the intercept last. */
export function fit(data: Data, task: Task, penalty: number, rounds: number): Float64Array {
    if (task === "regression") {
        const equations = new Equations(data.width);
        each(data, (row, target) => equations.add(row, target, 1));
        return equations.solve(penalty);
    }
    let coefficients: Float64Array = new Float64Array(data.width + 1);
    for (let round = 1; round <= rounds; round++) {
        const equations = new Equations(data.width);
        let loss = 0;
        each(data, (row, target) => {
            const logit = dot(row, coefficients);
            const probability = logistic(logit);
            loss -= Math.log(Math.max(1e-300, target === 1 ? probability : 1 - probability));
            // Certain predictions would divide by zero.
            const weight = Math.max(1e-10, probability * (1 - probability));
            equations.add(row, logit + (target - probability) / weight, weight);
        });
        const next = equations.solve(penalty);
        const change = next.reduce((most, value, at) => Math.max(most, Math.abs(value - coefficients[at])), 0);
        const size = next.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        coefficients = next;
        if (change <= ARRIVED * size || !progress.report(round, rounds, loss / data.targets.length)) break;
    }
    return coefficients;
}

/** One prediction a row. */
export function predict(rows: Iterable<Float64Array>, samples: number, task: Task, coefficients: Float64Array): Float64Array {
    const predictions = new Float64Array(samples);
    let at = 0;
    for (const row of rows) {
        const value = dot(row, coefficients);
        if (!Number.isFinite(value)) throw invalidInput(`sample ${at} has features too large to predict from`);
        predictions[at++] = task === "binary" ? logistic(value) : value;
    }
    return predictions;
}

function each(data: Data, take: (row: Float64Array, target: number) => void): void {
    let at = 0;
    for (const row of data.rows()) take(row, data.targets[at++]);
}

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

function dot(row: Float64Array, coefficients: Float64Array): number {
    let sum = coefficients[row.length];
    for (let at = 0; at < row.length; at++) sum += row[at] * coefficients[at];
    return sum;
}

/** Normal equations: the lower half of Xᵀ·W·X, row after row, and Xᵀ·W·y; X ends with a column of ones. */
class Equations {
    readonly #size: number;
    readonly #matrix: Float64Array;
    readonly #right: Float64Array;

    constructor(width: number) {
        this.#size = width + 1;
        this.#matrix = new Float64Array(this.#size ** 2);
        this.#right = new Float64Array(this.#size);
    }

    add(row: Float64Array, target: number, weight: number): void {
        const [size, matrix, right] = [this.#size, this.#matrix, this.#right];
        for (let i = 0; i < size; i++) {
            const left = weight * (i < row.length ? row[i] : 1);
            for (let j = 0; j <= i; j++) matrix[i * size + j] += left * (j < row.length ? row[j] : 1);
            right[i] += left * target;
        }
    }

    /** The solution by Cholesky's decomposition, in place. */
    solve(penalty: number): Float64Array {
        const [size, l, x] = [this.#size, this.#matrix, this.#right];
        for (let i = 0; i < size - 1; i++) l[i * size + i] += penalty;
        for (let i = 0; i < size; i++) {
            for (let j = 0; j <= i; j++) {
                let sum = l[i * size + j];
                for (let k = 0; k < j; k++) sum -= l[i * size + k] * l[j * size + k];
                l[i * size + j] = i === j ? Math.sqrt(sum) : sum / l[j * size + j];
            }
            for (let k = 0; k < i; k++) x[i] -= l[i * size + k] * x[k];
            x[i] /= l[i * size + i];
        }
        for (let i = size - 1; i >= 0; i--) {
            for (let k = i + 1; k < size; k++) x[i] -= l[k * size + i] * x[k];
            x[i] /= l[i * size + i];
        }
        if (!x.every(Number.isFinite))
            throw invalidInput("the features are too large, or depend on each other too closely, for this penalty");
        return x;
    }
}
