// Makes a component's exports of a definition. Everything a plugin hands out is put into the contract's shape and looked at:
// what the host would refuse without a place, such as a missing field, is named here. Whatever is thrown becomes an error of
// the contract; nothing traps.

import type { Advance, Alert, Decision, HyperParameter, Outcome, Requirements, Rollout, TrainingPlan } from "./contract.js";
import { Frame } from "./data/frame.js";
import type { FrameSource, WindowsSource } from "./data/source.js";
import { Windows } from "./data/windows.js";
import { describe, internal, PluginError, toContract } from "./errors.js";
import { connect, type Host, has, part } from "./host.js";
import { overWasi, type WasiHttp } from "./http/wire.js";
import * as log from "./log.js";
import type { AnyPlugin, Plugin } from "./plugin.js";

/** Imports of the component, as its entry file passes them. */
export interface Imports extends Omit<Host, "http"> {
    http?: WasiHttp;
}

type Of<W extends Plugin["world"]> = Extract<AnyPlugin, { world: W }>;
/** Exported interfaces and their functions. */
export type Exports = Record<string, Record<string, (...given: never[]) => unknown>>;

/** The exports of a component that is this plugin. Called while the component is made; functions run later, on the host. */
export function serve(plugin: AnyPlugin, imports: Imports): Exports {
    const { http, ...rest } = imports;
    connect(http === undefined ? rest : { ...rest, http: overWasi(http) });
    settle();
    return { plugin: { describe: () => description(plugin) }, ...exportsOf(plugin) };
}

/** The exported interfaces of a plugin's kind, as the contract has them. */
export function exportsOf(plugin: AnyPlugin): Exports {
    switch (plugin.world) {
        case "drift-test":
            return { test: driftTest(plugin) };
        case "drift-detector":
            return { detector: driftDetector(plugin) };
        case "alert-handler":
            return { handler: alertHandler(plugin) };
        case "deployment-strategy":
            return { strategy: deploymentStrategy(plugin) };
        case "model":
            return { planner: planner(plugin) };
        case "guest-model":
            return { planner: planner(plugin), estimator: estimator(plugin) };
    }
}

function description(plugin: AnyPlugin): object {
    const { name, version, summary, configSchema, extra } = plugin;
    return { name, version, summary, configSchema: JSON.stringify(configSchema), extra: extra ?? [] };
}

function driftTest(plugin: Of<"drift-test">): Exports[string] {
    return {
        accepts: () => plugin.accepts ?? { scope: "univariate", kinds: ["numeric"], leastRows: 30 },
        baseline: guarded((frame: FrameSource, config: string) =>
            bytes("baseline", plugin.baseline(new Frame(frame), read(plugin, config))),
        ),
        test: guarded((baseline: Uint8Array, frame: FrameSource, config: string) =>
            outcome(plugin.test(baseline, new Frame(frame), read(plugin, config))),
        ),
    };
}

function driftDetector(plugin: Of<"drift-detector">): Exports[string] {
    return {
        start: guarded((config: string) => bytes("start", plugin.start(read(plugin, config)))),
        update: guarded((state: Uint8Array, values: number[], config: string) =>
            advance(plugin.update(state, Float64Array.from(values), read(plugin, config))),
        ),
    };
}

/** An alert as the contract has it. */
export type WireAlert = Omit<Alert, "labels" | "detail"> & { labels: [string, string][]; detail: string };

function alertHandler(plugin: Of<"alert-handler">): Exports[string] {
    return {
        handle: guarded((alert: WireAlert, config: string) => {
            plugin.handle({ ...alert, labels: new Map(alert.labels), detail: object(alert.detail) }, read(plugin, config));
        }),
    };
}

function deploymentStrategy(plugin: Of<"deployment-strategy">): Exports[string] {
    return { next: guarded((rollout: Rollout, config: string) => decision(plugin.next(rollout, read(plugin, config)))) };
}

function planner(plugin: Of<"model"> | Of<"guest-model">): Exports[string] {
    return {
        requires: guarded((config: string) => requirements(plugin.requires(read(plugin, config)))),
        plan: guarded((config: string, input: never, target: never) => plan(plugin.plan(read(plugin, config), input, target))),
        searchSpace: () => (plugin.searchSpace ?? []).map(hyperParameter),
    };
}

function estimator(plugin: Of<"guest-model">): Exports[string] {
    return {
        fit: guarded((train: WindowsSource, validation: WindowsSource, config: string) =>
            bytes("fit", plugin.fit(new Windows(train), new Windows(validation), read(plugin, config))),
        ),
        predict: guarded((state: Uint8Array, inputs: WindowsSource, config: string) =>
            Array.from(plugin.predict(state, new Windows(inputs), read(plugin, config))),
        ),
    };
}

/** Runs a function of the plugin; what it throws is thrown as the contract has it, and logged when it was a mistake. */
function guarded<A extends unknown[], R>(run: (...given: A) => R): (...given: A) => R {
    return (...given) => {
        try {
            return run(...given);
        } catch (thrown) {
            if (!(thrown instanceof PluginError)) log.error(`${describe(thrown)}\n${(thrown as Error)?.stack ?? ""}`);
            throw toContract(thrown);
        }
    };
}

/** The configuration as the plugin reads it. */
function read(plugin: AnyPlugin, json: string): never {
    const config = JSON.parse(json) as never;
    plugin.check?.(config);
    return config;
}

/** `detail`, which is an object; should it ever not be, it is kept under a name. */
function object(json: string): { [name: string]: never } {
    const value: unknown = JSON.parse(json);
    return (value !== null && typeof value === "object" && !Array.isArray(value) ? value : { value }) as { [name: string]: never };
}

function bytes(what: string, value: Uint8Array): Uint8Array {
    if (!(value instanceof Uint8Array)) throw internal(`\`${what}\` must return a Uint8Array`);
    return value;
}

function finite(what: string, value: number): number {
    if (!Number.isFinite(value)) throw internal(`${what} is ${value}: it must be a finite number`);
    return value;
}

function count(what: string, value: number): number {
    if (!Number.isSafeInteger(value) || value < 0) throw internal(`${what} is ${value}: it must be a whole number, 0 or more`);
    return value;
}

function outcome(given: Outcome): object {
    return {
        statistic: finite("outcome.statistic", given.statistic),
        pValue: given.pValue == null ? null : finite("outcome.pValue", given.pValue),
        score: finite("outcome.score", given.score),
        threshold: finite("outcome.threshold", given.threshold),
        drifted: Boolean(given.drifted),
        referenceCount: count("outcome.referenceCount", given.referenceCount),
        currentCount: count("outcome.currentCount", given.currentCount),
        detail: JSON.stringify(given.detail ?? {}),
    };
}

function advance(given: Advance): object {
    const events = given.events.map(({ index, severity, statistic }) => {
        return { index: count("event.index", index), severity, statistic: finite("event.statistic", statistic) };
    });
    return { state: bytes("update", given.state), events };
}

function decision(given: Decision): object {
    if (typeof given?.action?.tag !== "string") throw internal("`next` must return a decision with an `action`");
    return { action: given.action, reason: String(given.reason).toWellFormed(), state: given.state ?? new Uint8Array() };
}

function requirements(given: Requirements): object {
    return {
        features: [...given.features],
        sequenceLength: count("requirements.sequenceLength", given.sequenceLength),
        leastRows: count("requirements.leastRows", given.leastRows),
    };
}

function plan(given: TrainingPlan): object {
    if (given.tag !== "members") return given;
    const members = given.val.members.map((member) => ({ ...member, config: JSON.stringify(member.config) }));
    return { tag: "members", val: { ...given.val, members } };
}

function hyperParameter(given: HyperParameter): object {
    if (given.values.tag !== "choice") return given;
    return { name: given.name, values: { tag: "choice", val: given.values.val.map((value) => JSON.stringify(value)) } };
}

/**
 * Makes the engine's surroundings safe: the time and randomness of JavaScript itself would trap or differ from build to
 * build. `Math.random` draws from the host's seeded numbers; what has no source throws and says what to use.
 */
function settle(): void {
    const engine = globalThis as unknown as Record<string, unknown>;
    engine["console"] ??= log.asConsole();
    Math.random = () => {
        if (has("random")) return part("random").uniform(1)[0] as number;
        throw new Error("Math.random() is not there: this kind of plugin has no randomness, so that its answers can be repeated");
    };
    const Native = Date;
    const now = (): number => part("clock").nowMs();
    const Settled = function (this: unknown, ...given: []) {
        const date = new Native(...((given.length > 0 ? given : [now()]) as [number]));
        return new.target === undefined ? date.toString() : date;
    };
    Object.assign(Settled, { now, parse: Native.parse, UTC: Native.UTC });
    Settled.prototype = Native.prototype;
    engine["Date"] = Settled;
    engine["performance"] = undefined;
}
