// Alerts and rollouts to start a test from, and the same out of the JSON of a case, whose names are the host's.

import type { Action, Alert, Json, Measurement, Rollout, Side } from "../contract.js";

/** A firing warning; `changes` are laid over it. */
export function alert(changes: Partial<Alert> = {}): Alert {
    return {
        idempotencyKey: "alert-1:firing:1",
        id: "alert-1",
        condition: "data-drift",
        severity: "warning",
        phase: "firing",
        summary: "rsi(14) has drifted",
        modelId: null,
        symbol: null,
        startedAtMs: 0,
        labels: new Map(),
        detail: {},
        ...changes,
    };
}

const NOTHING: Measurement = { requests: 0, errors: 0, latencyP50Ms: null, latencyP99Ms: null, metrics: [] };

/** One side of a rollout, nothing measured unless told. */
export const side = (modelId: string, share = 0, measured: Partial<Measurement> = {}): Side => ({
    modelId,
    share,
    shadow: 0,
    measured: { ...NOTHING, ...measured },
});

/** A rollout that just began: `candidate` against `stable`, nothing measured; `changes` are laid over it. */
export function rollout(changes: Partial<Rollout> = {}): Rollout {
    return {
        id: "rollout-1",
        endpoint: "BTC-USDT",
        stable: side("stable", 1),
        candidate: side("candidate"),
        steps: [],
        elapsedSeconds: 0,
        nowMs: 0,
        health: null,
        analysis: null,
        approved: false,
        state: new Uint8Array(),
        ...changes,
    };
}

type Fields = { [name: string]: Json | undefined };

/** Names of JSON as the contract has them in JavaScript: `model_id` is `modelId`, at every depth. */
function camel(value: Json | undefined): Json | undefined {
    if (Array.isArray(value)) return value.map((item) => camel(item) as Json);
    if (typeof value !== "object" || value === null) return value;
    const name = (text: string) => text.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [name(key), camel(item)]));
}

const moment = (value: unknown): number => (typeof value === "number" ? value : Date.parse(String(value)));

/** An alert out of a case. */
export function alertOf(given: Fields): Alert {
    const { started_at, started_at_ms, labels, detail, ...rest } = given;
    const pairs = Object.entries((labels ?? {}) as Record<string, string>);
    const startedAtMs = moment(started_at_ms ?? started_at ?? 0);
    return alert({ ...(camel(rest) as Partial<Alert>), startedAtMs, labels: new Map(pairs), detail: (detail ?? {}) as Alert["detail"] });
}

/** A rollout out of a case. */
export function rolloutOf(given: Fields): Rollout {
    const { now, now_ms, steps, state, stable, candidate, health, ...rest } = given;
    const sideOf = (value: Json | undefined, plain: Side): Side => {
        const fields = camel(value) as Partial<Side>;
        return { ...plain, ...fields, measured: { ...NOTHING, ...fields.measured } };
    };
    return rollout({
        ...(camel(rest) as Partial<Rollout>),
        nowMs: moment(now_ms ?? now ?? 0),
        steps: ((steps ?? []) as [number, Fields, number][]).map(([number, action, secondsAgo]) => ({
            number,
            action: actionOf(action),
            secondsAgo,
        })),
        state: Uint8Array.from((state ?? []) as number[]),
        stable: stable === null ? null : sideOf(stable ?? {}, side("stable", 1)),
        candidate: sideOf(candidate ?? {}, side("candidate")),
        health: health == null ? null : { passed: false, probes: 0, slowestMs: 0, reasons: [], ...(camel(health) as object) },
        analysis: rest["analysis"] == null ? null : { passed: null, reasons: [], ...(camel(rest["analysis"]) as object) },
    });
}

/** An action of the host's JSON as the contract has it. */
export function actionOf({ kind, ...fields }: Fields): Action {
    if (kind === "pause-for") return { tag: "pause", val: { tag: "seconds", val: fields["seconds"] as number } };
    if (kind === "pause-until-approved") return { tag: "pause", val: { tag: "until-approved" } };
    if (kind === "rollback") return { tag: "rollback", val: String(fields["reason"]) };
    return (Object.keys(fields).length === 0 ? { tag: kind } : { tag: kind, val: camel(fields) }) as Action;
}
