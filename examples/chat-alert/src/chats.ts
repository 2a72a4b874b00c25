// What each chat is sent: its markup's escaping, its limits, the shape of its document. What is too long is cut with an
// ellipsis, for a chat refuses the whole message otherwise.
//
// Slack: blocks, https://docs.slack.dev/reference/block-kit. Teams: an Adaptive Card in a message of at most 28 KB. Discord:
// an embed of at most 6000 characters, https://docs.discord.com/developers/resources/message.

import { cut, type Json } from "bellwether";

/** A message, its texts already in the chat's markup. */
export interface Written {
    title: string;
    message: string;
    fields: [string, string][];
    severity: "info" | "warning" | "critical";
    resolved: boolean;
}

/** One chat. */
export interface Chat {
    /** Makes a value stand for itself in the chat's markup. */
    escape(text: string): string;
    /** The document for a message. */
    body(written: Written): Json;
}

/** Cuts escaped text so that no escape is cut in two. */
function cutWhole(text: string, length: number): string {
    if (text.length <= length) return text;
    const start = cut(text, length).slice(0, -1);
    return `${start.replace(/&[a-z]{0,4}$/, "").replace(/(^|[^\\])((?:\\\\)*)\\$/, "$1$2")}…`;
}

/** Takes the escapes out again, for places that show plain text. */
const plain = (text: string): string => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

const COLOURS = { resolved: "#2e7d32", info: "#1565c0", warning: "#f9a825", critical: "#c62828" };
const colourOf = (written: Written): string => COLOURS[written.resolved ? "resolved" : written.severity];

const slack: Chat = {
    // Slack's markup begins links, mentions and channels with `<`; its text knows three entities.
    escape: (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;"),
    body(written) {
        const section = (text: string) => ({ type: "mrkdwn", text });
        const blocks: Json[] = [];
        // A header shows plain text; an empty one is refused.
        if (written.title !== "") blocks.push({ type: "header", text: { type: "plain_text", text: cut(plain(written.title), 150) } });
        if (written.message !== "") blocks.push({ type: "section", text: section(cutWhole(written.message, 3000)) });
        if (written.fields.length > 0) {
            const fields = written.fields.slice(0, 10).map(([name, value]) => section(cutWhole(`*${slack.escape(name)}*\n${value}`, 2000)));
            blocks.push({ type: "section", fields });
        }
        const fallback = cutWhole([written.title, written.message].filter(Boolean).join(": "), 3000);
        return { text: fallback, attachments: [{ color: colourOf(written), blocks }] };
    },
};

/** Escapes what means something in Markdown: some characters everywhere, marks of headings and lists where a line begins. */
const markdown = (text: string): string => text.replace(/[\\*_~`|[\]()<>]|^[ \t]*[#+-](?=\s)/gm, (found) => found.replace(/.$/, "\\$&"));

/** The most bytes of a message to Teams, with room for the envelope. */
const TEAMS_BYTES = 27_000;

const teams: Chat = {
    escape: markdown,
    body(written) {
        const style = { resolved: "good", info: "accent", warning: "warning", critical: "attention" }[
            written.resolved ? "resolved" : written.severity
        ];
        const block = (text: string, more: object): Json => ({ type: "TextBlock", wrap: true, text, ...more });
        const card = (length: number): Json => {
            const body: Json[] = [];
            if (written.title !== "") body.push(block(cutWhole(written.title, 256), { weight: "bolder", size: "medium", color: style }));
            // A single line break is shown as a blank.
            if (written.message !== "") body.push(block(cutWhole(written.message, length).replaceAll("\n", "\n\n"), {}));
            const facts = written.fields.map(([title, value]) => ({
                title: cut(title, 100),
                value: cutWhole(value, Math.min(length, 1000)),
            }));
            if (facts.length > 0) body.push({ type: "FactSet", facts });
            const content = { $schema: "http://adaptivecards.io/schemas/adaptive-card.json", type: "AdaptiveCard", version: "1.4", body };
            return { type: "message", attachments: [{ contentType: "application/vnd.microsoft.card.adaptive", content }] };
        };
        let length = 20_000;
        // Its limit is one of bytes, and a letter may take three: halved until it fits.
        while (length > 100 && bytesOf(JSON.stringify(card(length))) > TEAMS_BYTES) length = Math.floor(length / 2);
        return card(length);
    },
};

/** Bytes of a text in UTF-8, at most: a letter outside ASCII takes up to three per UTF-16 unit. */
function bytesOf(text: string): number {
    let bytes = 0;
    for (let at = 0; at < text.length; at++) {
        const unit = text.charCodeAt(at);
        bytes += unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
    }
    return bytes;
}

/** The most characters of all texts of an embed together. */
const DISCORD_WHOLE = 6000;

const discord: Chat = {
    escape: markdown,
    body(written) {
        const fields = written.fields
            .slice(0, 25)
            .map(([name, value]) => ({ name: cut(name, 256), value: cutWhole(value, 300), inline: true }));
        const title = cutWhole(written.title, 256);
        const others = fields.reduce((sum, { name, value }) => sum + name.length + value.length, title.length);
        const description = cutWhole(written.message, Math.min(4096, DISCORD_WHOLE - others));
        const color = Number.parseInt(colourOf(written).slice(1), 16);
        // An alert is to be read, not to ring for everyone whose name is in it.
        return { embeds: [{ title, description, color, fields }], allowed_mentions: { parse: [] } };
    },
};

/** The chats, by name. */
export const CHATS = { slack, teams, discord };
