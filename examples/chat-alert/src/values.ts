// What templates can ask for: the names of an alert, as the operator knows them from the host's own JSON.

import type { Alert, Json } from "bellwether";

/** Names by value. Labels and the detail hold what the alert's condition puts there, so their names are not known before. */
export function valuesOf(alert: Alert): { readonly [name: string]: Json | undefined } {
    const resolved = alert.phase === "resolved";
    return {
        id: alert.id,
        condition: alert.condition,
        severity: alert.severity,
        phase: alert.phase,
        firing: !resolved,
        resolved,
        summary: alert.summary,
        model_id: alert.modelId,
        symbol: alert.symbol,
        started: alert.startedAtMs,
        labels: Object.fromEntries(alert.labels),
        detail: alert.detail,
    };
}

/** Names every alert has; only those in `OPEN` have names within. */
export const NAMES = [
    "id",
    "condition",
    "severity",
    "phase",
    "firing",
    "resolved",
    "summary",
    "model_id",
    "symbol",
    "started",
    "labels",
    "detail",
];

/** Names that hold further names. */
export const OPEN = ["labels", "detail"];
