// The template language.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "bellwether";
import * as testing from "bellwether/testing";
import { render } from "../src/render.ts";
import { parse } from "../src/template.ts";
import { NAMES, valuesOf } from "../src/values.ts";

const alert = testing.alert({
    startedAtMs: Date.UTC(2024, 11, 5, 12, 0, 1),
    labels: new Map([
        ["symbol", "BTC-USDT"],
        ["feature", "rsi(14)"],
    ]),
    detail: { psi: 0.23456, share: 0.071, big: 1e300, text: "long words", nothing: null, list: [1, { a: 2 }], zero: 0, constructor: "own" },
});
const write = (template: string, resolved = false): string =>
    render(parse("message", template), valuesOf({ ...alert, phase: resolved ? "resolved" : "firing" }), (text) => text);

test("values are written", () => {
    const check = (template: string, expected: string) => assert.equal(write(template), expected, template);
    check("plain } text { {", "plain } text { {");
    check("{{ summary }}: {{condition}}", "rsi(14) has drifted: data-drift");
    check("{{labels.symbol}} {{labels.other}}{{model_id}}|", "BTC-USDT |");
    check("{{started | time}}, {{started | date}}", "2024-12-05 12:00 UTC, 2024-12-05");
    check("{{detail.psi | round 3}} {{detail.psi|round}} {{detail.share | percent 1}}", "0.235 0 7.1 %");
    check("{{detail.big | round 2}} {{summary | round 2}} {{summary | time}}", "1e+300 rsi(14) has drifted rsi(14) has drifted");
    check("{{detail.text | cut 5 | upper}}", "LONG…");
    check('{{model_id | default "none"}} {{detail.zero | default "x"}}', "none 0");
    check("{{detail.list}} {{detail.list | json}} {{detail.list.1.a}}", '[1,{"a":2}] [1,{"a":2}] 2');
    check("{{detail.constructor}} {{labels.constructor}}{{labels.__proto__}}{{detail.text.length}}|", "own |");
});

test("blocks are written when their value holds", () => {
    const template = "{{#if resolved}}over{{else}}on{{/if}}{{#if symbol}} {{symbol}}{{/if}}{{#if detail.zero}}!{{/if}}";
    assert.deepEqual([write(template), write(template, true)], ["on", "over"]);
    assert.equal(write("{{#each labels}}{{key}}={{value}};{{#if value}}+{{/if}}{{/each}}"), "symbol=BTC-USDT;+feature=rsi(14);+");
    assert.equal(write("{{#each detail.list}}{{key}}{{value.a}},{{/each}}{{#each summary}}x{{/each}}"), "0,12,");
    assert.equal(write("{{#if labels}}{{#if firing}}a{{else}}b{{/if}}{{/if}}"), "a");
});

test("mistakes are refused with their line", () => {
    const check = (template: string, message: RegExp) =>
        assert.throws(() => parse("message", template), { code: "invalid-config", message }, template);
    check("a\n{{sumary}}", /^`message`, line 2: an alert has no `sumary`; it has id, condition/);
    check("{{summary.x}}", /`summary` has no names within/);
    check("{{key}}", /no `key`/);
    check("{{#each labels}}{{/each}}{{value}}", /no `value`/);
    check("{{summary", /never ended by }}/);
    check("{{#if resolved}}a", /\{\{#if}} is never ended by \{\{\/if}}/);
    check("a{{/if}}", /\{\{\/if}} ends nothing/);
    check("{{else}}", /ends nothing/);
    check("{{#each labels}}{{/if}}", /stands where \{\{\/each}} is expected/);
    check("{{#if resolved}}{{else}}{{else}}{{/if}}", /stands where/);
    check("{{#unless x}}", /is no block/);
    check("{{summary | shout}}", /no filter `shout`; there are upper/);
    check("{{summary | constructor}}", /no filter/);
    check("{{summary | cut}}", /takes a length from 1 to 4000/);
    check("{{summary | round 99}}", /0 to 20/);
    check("{{summary | default x}}", /double quotes/);
    check("{{}}", /is no name/);
    check("{{a b}}", /is no name/);
    check("{{#if resolved}}".repeat(9) + "{{/if}}".repeat(9), /more than 8 blocks/);
});

test("every name of an alert can be asked for, and no other", () => {
    const values: { [name: string]: Json | undefined } = valuesOf(alert);
    assert.deepEqual(Object.keys(values).sort(), [...NAMES].sort());
});
