// `{{name}}`: posts each alert as a JSON document. The receiver gets the idempotency key as a header and may drop repeats
// by it. An answer of 2xx is a delivery; which failures the host tries again is the SDK's mapping (`http.postJson`).

import { type Alert, alertHandler, http, type Json, log } from "bellwether";

export default alertHandler({
    name: "{{name}}",
    version: "0.1.0",
    summary: "Posts each alert as a JSON document to a URL.",
    configSchema: {
        type: "object",
        additionalProperties: false,
        required: ["url"],
        properties: {
            url: { type: "string", pattern: "^https?://", maxLength: 2048, description: "Where alerts are posted." },
            least_severity: {
                type: "string",
                enum: ["info", "warning", "critical"],
                default: "info",
                description: "Alerts below it are not posted.",
            },
            timeout_seconds: {
                type: "integer",
                minimum: 1,
                maximum: 60,
                default: 5,
                description: "Most seconds to wait for the receiver.",
            },
        },
    },

    handle(alert, config) {
        if (rank(alert.severity) < rank(config.least_severity)) {
            log.debug(`${alert.id} is ${alert.severity}: not posted`);
            return;
        }
        http.postJson(config.url, document(alert), {
            headers: { "idempotency-key": alert.idempotencyKey },
            timeoutMs: config.timeout_seconds * 1000,
        });
    },
});

const rank = (severity: Alert["severity"]): number => ["info", "warning", "critical"].indexOf(severity);

/** One alert as the receiver sees it. */
function document(alert: Alert): Json {
    return {
        id: alert.id,
        condition: alert.condition,
        severity: alert.severity,
        phase: alert.phase,
        summary: alert.summary,
        model_id: alert.modelId,
        symbol: alert.symbol,
        started_at: new Date(alert.startedAtMs).toISOString(),
        labels: Object.fromEntries(alert.labels),
        detail: alert.detail,
    };
}
