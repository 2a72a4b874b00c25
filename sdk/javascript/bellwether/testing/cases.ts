// The cases of `bellwether plugin test` (`cases/*.json`), natively: the same files test the source in a second and the
// component before it is shipped. Functions are called through the exports of the component, so what the host would refuse
// of an answer is refused here too.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "../contract.js";
import type { AnyPlugin } from "../plugin.js";
import { exportsOf } from "../serve.js";
import * as host from "./host.js";
import { MemoryColumn, MemoryFrame, MemoryWindows } from "./memory.js";
import { actionOf, alertOf, rolloutOf } from "./samples.js";
import { config } from "./schema.js";

type Fields = { [name: string]: Json | undefined };

/** One case. */
export interface Case {
    /** Its file's name without `.json`. */
    name: string;
    given: Fields;
}

/** The cases in a folder, by name. */
export function cases(folder = "cases"): Case[] {
    const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
    return files.sort().map((file) => ({ name: file.slice(0, -5), given: JSON.parse(readFileSync(join(folder, file), "utf8")) }));
}

/** Runs a case on a plugin. Throws naming the first member of `expect` that does not hold. */
export function checkCase(plugin: AnyPlugin, one: Case): void {
    host.reset();
    const given: Fields = JSON.parse(JSON.stringify(one.given).replaceAll("{{receiver}}", "http://receiver.example"));
    const expected = (given["expect"] ?? {}) as Fields;
    let found: Json;
    try {
        found = answer(plugin, given);
    } catch (thrown) {
        found = { error: codeOf(thrown), message: messageOf(thrown) };
    }
    if (found !== null && typeof found === "object" && "error" in found && !("error" in expected)) {
        throw new Error(`an answer was expected, and there is an error: ${found["error"]}: ${found["message"]}`);
    }
    compare(found, expected, "expect", (given["tolerance"] as number | undefined) ?? 1e-9);
}

/** What the plugin answers, with the names of the host's JSON. */
function answer(plugin: AnyPlugin, given: Fields): Json {
    const settings = JSON.stringify(config(plugin, (given["config"] ?? {}) as Fields));
    const exported = exportsOf(plugin) as Record<string, Record<string, (...given: unknown[]) => unknown>>;
    const call = (place: string, name: string, ...values: unknown[]): never => exported[place]?.[name]?.(...values, settings) as never;
    switch (plugin.world) {
        case "drift-test": {
            const baseline = call("test", "baseline", frame(given["reference"]));
            const outcome: Fields = call("test", "test", baseline, frame(given["current"]));
            return { ...(snake(outcome) as object), detail: JSON.parse(String(outcome["detail"])) };
        }
        case "drift-detector": {
            const { events }: { events: Json } = call("detector", "update", call("detector", "start"), numbers(given["values"]));
            return { events };
        }
        case "alert-handler":
            return delivered(given, (alert) => call("handler", "handle", alert));
        case "deployment-strategy": {
            const { action, reason }: { action: Json; reason: string } = call(
                "strategy",
                "next",
                rolloutOf((given["rollout"] ?? {}) as Fields),
            );
            return { action, reason };
        }
        case "guest-model": {
            const train = windows(given, "train");
            const state = call("estimator", "fit", train, given["validation"] === undefined ? train : windows(given, "validation"));
            return { predictions: call("estimator", "predict", state, windows(given, "inputs")) };
        }
        case "model":
            throw new Error("a model the host trains has no cases: test its plan with `testing.network`");
    }
}

function delivered(given: Fields, handle: (alert: object) => void): Json {
    const { status = 200, headers = {}, body = "" } = (given["answer"] ?? {}) as Partial<host.Answer>;
    host.respondWith({ status, headers, body: typeof body === "string" ? body : JSON.stringify(body) });
    for (const [name, value] of Object.entries((given["secrets"] ?? {}) as Record<string, string>)) host.setSecret(name, value);
    const alert = alertOf((given["alert"] ?? {}) as Fields);
    const { labels, detail } = alert;
    try {
        handle({ ...alert, labels: [...labels], detail: JSON.stringify(detail) });
    } catch (thrown) {
        return { error: codeOf(thrown), message: messageOf(thrown), requests: sent() };
    }
    return { requests: sent() };
}

const sent = (): Json =>
    host.requests.map(({ method, url, headers, body }) => ({
        method,
        path: url.replace(/^https?:\/\/[^/]*/, "") || "/",
        headers,
        body: parsed(body),
    }));

function parsed(text: string): Json {
    try {
        return JSON.parse(text);
    } catch {
        return text;
    }
}

function frame(given: Json | undefined): MemoryFrame {
    return new MemoryFrame(Object.entries(given as Fields).map(([name, values]) => new MemoryColumn(name, numbers(values))));
}

function windows(given: Fields, part: string): MemoryWindows {
    const { steps, windows, targets } = (given[part] ?? {}) as { steps?: number; windows?: Json; targets?: Json };
    const samples = windows as Json[][];
    const flat = numbers((samples as unknown as Json[][][]).flat(2) as Json);
    return new MemoryWindows(given["features"] as string[], steps ?? samples[0]?.length ?? 0, flat, numbers(targets ?? []));
}

/** Numbers of a case: null stands for NaN. */
const numbers = (given: Json | undefined): number[] => (given as (number | null)[]).map((value) => value ?? Number.NaN);

const snake = (value: Fields): Fields =>
    Object.fromEntries(Object.entries(value).map(([name, item]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), item]));

/** The code of what was thrown: by the plugin, or through its exports. */
function codeOf(thrown: unknown): string {
    const { tag, val, code } = thrown as { tag?: string; val?: [string, string]; code?: string };
    return tag === "other" ? (val?.[0] ?? tag) : (tag ?? code ?? "internal");
}

function messageOf(thrown: unknown): string {
    const { tag, val } = thrown as { tag?: string; val?: string | [string, string] };
    if (tag === undefined) return thrown instanceof Error ? thrown.message : String(thrown);
    return typeof val === "string" ? val : (val?.[1] ?? "");
}

/** Every member of `expected` holds in `found`; numbers within a relative tolerance. */
function compare(found: Json | undefined, expected: Json | undefined, place: string, tolerance: number): void {
    const wrong = () => new Error(`${place}: ${JSON.stringify(found)} found, ${JSON.stringify(expected)} expected`);
    if (typeof expected === "number") {
        if (typeof found !== "number" || !(Math.abs(found - expected) <= tolerance * Math.max(1, Math.abs(expected)))) throw wrong();
        return;
    }
    if (typeof expected !== "object" || expected === null) {
        if ((found ?? null) !== (expected ?? null)) throw wrong();
        return;
    }
    if (place === "expect.action" && "kind" in expected)
        return compare(found, actionOf(expected as Fields) as Json, "expect.action ", tolerance);
    if (Array.isArray(expected)) {
        const items = found as Json[];
        if (!Array.isArray(found) || found.length !== expected.length) throw wrong();
        for (const [at, item] of expected.entries()) compare(items[at], item, `${place}[${at}]`, tolerance);
        return;
    }
    if (typeof found !== "object" || found === null) throw wrong();
    for (const [name, item] of Object.entries(expected)) compare((found as Fields)[name], item, `${place}.${name}`, tolerance);
}
