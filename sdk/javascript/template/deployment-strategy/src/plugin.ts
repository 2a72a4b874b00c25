// `{{name}}`: a canary. The candidate must pass the host's health check, then gets growing shares of the predictions; each
// share is measured before the next. Traffic only moves in the hours an operator allows, so that someone is there.
//
// What was decided is in `rollout.steps`, so nothing has to be remembered, and the same rollout always gives the same answer.

import { type Decision, deploy, deploymentStrategy, invalidConfig, type Rollout } from "bellwether";

export default deploymentStrategy({
    name: "{{name}}",
    version: "0.1.0",
    summary: "A canary in steps, each measured, that only moves in the hours it is told.",
    configSchema: {
        type: "object",
        additionalProperties: false,
        properties: {
            shares: {
                type: "array",
                items: { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1 },
                minItems: 1,
                maxItems: 50,
                default: [0.05, 0.25, 0.5],
                description: "Shares of the predictions the candidate answers, ascending.",
            },
            seconds: { type: "integer", minimum: 1, maximum: 604800, default: 600, description: "How long each share is measured." },
            least_requests: { type: "integer", minimum: 1, default: 100, description: "Least requests on the candidate for a verdict." },
            metrics: {
                type: "array",
                items: { type: "string" },
                default: [],
                description: "Metrics to compare beside errors and latency.",
            },
            from_hour: { type: "integer", minimum: 0, maximum: 23, default: 0, description: "First hour of the day (UTC) to move in." },
            to_hour: {
                type: "integer",
                minimum: 1,
                maximum: 24,
                default: 24,
                description: "Hour of the day (UTC) from which nothing moves.",
            },
        },
    },

    check({ shares, from_hour, to_hour }) {
        if (shares.some((share, at) => at > 0 && share <= shares[at - 1])) {
            throw invalidConfig(`\`shares\` is [${shares.join(", ")}]: they must ascend`);
        }
        if (from_hour >= to_hour)
            throw invalidConfig(`\`from_hour\` is ${from_hour} and \`to_hour\` ${to_hour}: the first must be smaller`);
    },

    next(rollout, config) {
        const { health, analysis } = rollout;
        if (health === null) return { action: deploy.checkHealth(), reason: "the candidate is to be checked first" };
        if (!health.passed) return deploy.rollBack(`the health check failed: ${health.reasons.join("; ") || "no reason given"}`);

        if (rollout.stable === null)
            return { action: deploy.promote(), reason: "it is healthy, and there is no version to compare it with" };

        const last = rollout.steps.at(-1)?.action.tag;
        if (last === "set-weight") {
            return {
                action: deploy.analyse(config.seconds, config.least_requests, config.metrics),
                reason: `measuring for ${config.seconds} s`,
            };
        }
        if (last === "analyse" && analysis !== null && analysis.passed !== true) {
            const why = analysis.passed === null ? "too little data for a verdict" : "the candidate is worse";
            return deploy.rollBack(`${why}: ${analysis.reasons.join("; ") || "no reason given"}`);
        }
        return waiting(rollout, config.from_hour, config.to_hour) ?? moving(rollout, config.shares);
    },
});

/** A pause until the hours in which traffic may move; undefined within them. */
function waiting(rollout: Rollout, from: number, to: number): Decision | undefined {
    const day = 86_400;
    const second = Math.floor((((rollout.nowMs / 1000) % day) + day) % day);
    if (second >= from * 3600 && second < to * 3600) return undefined;
    const until = (from * 3600 - second + day) % day;
    return { action: deploy.pauseFor(Math.max(1, until)), reason: `traffic only moves from ${from}:00 to ${to}:00 UTC` };
}

/** The next share, or the end. */
function moving(rollout: Rollout, shares: number[]): Decision {
    const taken = rollout.steps.filter((step) => step.action.tag === "set-weight").length;
    const share = shares.at(taken);
    if (share === undefined) return { action: deploy.promote(), reason: `it passed at every share up to ${shares.at(-1)}` };
    return { action: deploy.setWeight(share), reason: `share ${taken + 1} of ${shares.length}` };
}
