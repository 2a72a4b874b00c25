// What each chat is sent: escaped, and within its limits whatever the alert holds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CHATS, type Written } from "../src/chats.ts";

const written = (changes: Partial<Written> = {}): Written => ({
    title: "title",
    message: "message",
    fields: [["Severity", "warning"]],
    severity: "warning",
    resolved: false,
    ...changes,
});

test("values stand for themselves", () => {
    assert.equal(CHATS.slack.escape("<!channel> & *x*"), "&lt;!channel&gt; &amp; *x*");
    for (const chat of [CHATS.discord, CHATS.teams]) {
        assert.equal(
            chat.escape("*a* _b_ [c](d) `e` ~f~ |g| \\ <@1> #h"),
            "\\*a\\* \\_b\\_ \\[c\\]\\(d\\) \\`e\\` \\~f\\~ \\|g\\| \\\\ \\<@1\\> #h",
        );
        assert.equal(chat.escape("# a\n - b\ndata-drift is -3 - 2"), "\\# a\n \\- b\ndata-drift is -3 - 2");
    }
});

// The documents are the chats' own shapes.
const body = (chat: keyof typeof CHATS, changes: Partial<Written> = {}): any => CHATS[chat].body(written(changes));

test("limits are kept", () => {
    const fields = Array.from({ length: 10 }, (_, at): [string, string] => [`name ${at}`.repeat(50), "ü".repeat(4000)]);
    for (const message of ["&amp;".repeat(2000), "\\*".repeat(4000), "ü€".repeat(9000), "a\n".repeat(8000)]) {
        const title = message;
        const [{ blocks }] = body("slack", { title, message, fields }).attachments;
        assert.ok(blocks[0].text.text.length <= 150);
        assert.ok(blocks[1].text.text.length <= 3000 && blocks[1].text.text.endsWith("…"));
        assert.ok(blocks[2].fields.length <= 10 && blocks[2].fields.every(({ text }: { text: string }) => text.length <= 2000));
        const bytes = Buffer.byteLength(JSON.stringify(body("teams", { title, message, fields })));
        assert.ok(bytes <= 28_000, String(bytes));
        const [embed] = body("discord", { title, message, fields }).embeds;
        const whole =
            embed.title.length +
            embed.description.length +
            embed.fields.reduce((sum: number, field: { name: string; value: string }) => sum + field.name.length + field.value.length, 0);
        assert.ok(embed.title.length <= 256 && embed.description.length <= 4096 && whole <= 6000, String(whole));
        assert.ok(embed.description.endsWith("…"));
    }
});

test("no escape is cut in two", () => {
    for (let extra = 0; extra < 6; extra++) {
        const slack = body("slack", { message: "x".repeat(extra) + "&amp;".repeat(700) }).attachments[0].blocks[1].text.text;
        assert.match(slack, /^x*(&amp;)*…$/);
        const discord = body("discord", { message: "x".repeat(extra) + "\\*\\\\".repeat(1200) }).embeds[0].description;
        assert.match(discord, /^x*(\\\*|\\\\)*…$/);
    }
});

test("a header is plain text, and what is empty is left out", () => {
    assert.equal(body("slack", { title: "a &amp; b" }).attachments[0].blocks[0].text.text, "a & b");
    assert.deepEqual(body("slack", { title: "", message: "m", fields: [] }).attachments[0].blocks, [
        { type: "section", text: { type: "mrkdwn", text: "m" } },
    ]);
    assert.equal(body("teams", { title: "", fields: [] }).attachments[0].content.body.length, 1);
});

test("an alert that is over is green, a mention rings nobody", () => {
    assert.equal(body("slack", { resolved: true }).attachments[0].color, "#2e7d32");
    assert.equal(body("discord", { severity: "critical" }).embeds[0].color, 0xc62828);
    assert.deepEqual(body("discord").allowed_mentions, { parse: [] });
    assert.equal(body("teams", { resolved: true }).attachments[0].content.body[0].color, "good");
});
