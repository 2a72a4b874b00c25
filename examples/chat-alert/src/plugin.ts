// `chat-alert`: posts alerts to a chat's incoming webhook. What is written comes from small templates the operator sets
// (`template.ts`); how it looks is the chat's own (`chats.ts`).
//
// Whoever knows the address of a webhook may write to the channel. So it comes as a secret, and no message names it.

import { type Alert, alertHandler, http, internal, invalidConfig, secrets, transient } from "bellwether";
import { CHATS } from "./chats.ts";
import { valuesOf } from "./values.ts";
import { parse, type Template } from "./template.ts";
import { render } from "./render.ts";

const text = { type: "string", maxLength: 4000 } as const;

const plugin = alertHandler({
    name: "chat-alert",
    version: "0.1.0",
    summary: "Posts alerts to a chat: Slack, Microsoft Teams or Discord.",
    configSchema: {
        type: "object",
        additionalProperties: false,
        properties: {
            chat: { type: "string", enum: ["slack", "teams", "discord"], default: "slack", description: "Whose webhook it is." },
            secret: {
                type: "string",
                enum: ["chat-url"],
                default: "chat-url",
                description: "Name of the secret with the webhook's address; its origin must be granted to this instance.",
            },
            url: {
                type: "string",
                maxLength: 2048,
                default: "",
                description: "The address, for receivers that need no secret; empty to take it from `secret`.",
            },
            title: {
                ...text,
                default: "{{#if resolved}}Resolved: {{/if}}{{condition}}{{#if symbol}} – {{symbol}}{{/if}}",
                description: "Template of the title.",
            },
            message: { ...text, default: "{{summary}}", description: "Template of the message, in the chat's own markup." },
            fields: {
                type: "object",
                additionalProperties: text,
                maxProperties: 10,
                default: { Severity: "{{severity}}", Model: "{{model_id}}", Since: "{{started | time}}" },
                description: "Templates by name, shown as a table below the message; those that come out empty are left out.",
            },
            timeout_seconds: { type: "integer", minimum: 1, maximum: 60, default: 10, description: "Most seconds to wait for the chat." },
        },
    },

    // A template that cannot be read, or asks for what no alert has, is the operator's mistake before any alert fires.
    check(config) {
        templatesOf(config);
    },

    handle(alert, config) {
        const { title, message, fields } = templatesOf(config);
        const chat = CHATS[config.chat];
        const values = valuesOf(alert);
        const write = (template: Template): string => render(template, values, chat.escape).trim();
        const written = {
            title: write(title),
            message: write(message),
            fields: fields.map(([name, template]): [string, string] => [name, write(template)]).filter(([, value]) => value !== ""),
            severity: alert.severity,
            resolved: alert.phase === "resolved",
        };
        const url = config.url === "" ? secrets.need(config.secret) : config.url;
        const headers = { "content-type": "application/json", "idempotency-key": alert.idempotencyKey };
        const body = JSON.stringify(chat.body(written));
        deliver(http.send({ url, headers, body, timeoutMs: config.timeout_seconds * 1000 }), config.chat, alert);
    },
});

export default plugin;

interface Texts {
    title: string;
    message: string;
    fields: { [name: string]: string };
}

function templatesOf({ title, message, fields }: Texts): { title: Template; message: Template; fields: [string, Template][] } {
    return {
        title: parse("title", title),
        message: parse("message", message),
        fields: Object.entries(fields).map(([name, template]) => [name, parse(`fields.${name}`, template)]),
    };
}

/** What the chat's answer means: delivered, later, never like this, or never this message. */
function deliver(answer: http.Response, chat: string, alert: Alert): void {
    if (answer.ok) return;
    const said = `${chat} answered ${answer.status}: ${answer.text().slice(0, 200).trim() || "nothing"}`;
    if (http.isTransient(answer.status)) throw transient(said);
    if (answer.status < 400 || [401, 403, 404, 405, 410].includes(answer.status)) {
        throw invalidConfig(`${said}; is the webhook's address right, and does its channel still exist?`);
    }
    throw internal(`${said}; it refused the message of alert ${alert.id}`);
}
