// Training plans and settings worth tuning.

import type { Ensemble, HyperParameter, Json, TrainingPlan } from "../contract.js";
import type { Network } from "../network/contract.js";

/** The host trains and serves this network natively. */
export const network = (network: Network): TrainingPlan => ({ tag: "network", val: network });

/** Several model types together. */
export const ensemble = (ensemble: Ensemble): TrainingPlan => ({ tag: "members", val: ensemble });

/** This component fits itself: with features `scaled` as a network's are, and `lastStepOnly` where windows need not be built. */
export const guest = (options: { scaled?: boolean; lastStepOnly?: boolean } = {}): TrainingPlan => ({
    tag: "guest",
    val: { scaled: options.scaled ?? false, lastStepOnly: options.lastStepOnly ?? false },
});

/**
 * Features that say where a market stands and have kept their scale over years: returns, ranges and volatilities instead
 * of prices and volumes, which no model can know beyond those it has seen. A good default for any model type.
 */
export const STATIONARY_FEATURES: readonly string[] = [
    "log-return",
    "log-range",
    "body",
    "realized-volatility(6)",
    "realized-volatility(24)",
    "realized-volatility(168)",
    "volume-zscore(24)",
    "hour-sin",
    "hour-cos",
];

/** Whole numbers from `low` to `high`, evenly or by ratio. */
export const whole = (name: string, low: number, high: number, byRatio = false): HyperParameter => ({
    name,
    values: { tag: "whole", val: [low, high, byRatio] },
});

/** Real numbers from `low` to `high`, evenly or by ratio. */
export const real = (name: string, low: number, high: number, byRatio = false): HyperParameter => ({
    name,
    values: { tag: "real", val: [low, high, byRatio] },
});

/** One of these values. */
export const choice = (name: string, ...values: Json[]): HyperParameter => ({ name, values: { tag: "choice", val: values } });
