// Log lines under the plugin's name in the host's own log. Rate-limited; a line past 4 KiB is cut by the host.

import { has, type Level, part } from "./host.js";

function write(level: Level, message: string): void {
    part("log").write(level, message.toWellFormed());
}

/** For following code step by step. */
export const trace = (message: string): void => write("trace", message);

/** For finding mistakes. */
export const debug = (message: string): void => write("debug", message);

/** What happened. */
export const info = (message: string): void => write("info", message);

/** What should be looked at. */
export const warn = (message: string): void => write("warn", message);

/** What went wrong. */
export const error = (message: string): void => write("error", message);

/** `console` as far as the host's log can stand in for it, for code that was not written for plugins. */
export function asConsole(): Record<"debug" | "log" | "info" | "warn" | "error", (...parts: unknown[]) => void> {
    const line =
        (level: Level) =>
        (...parts: unknown[]) => {
            if (has("log")) write(level, parts.map(shown).join(" "));
        };
    return { debug: line("debug"), log: line("info"), info: line("info"), warn: line("warn"), error: line("error") };
}

function shown(value: unknown): string {
    if (typeof value === "string") return value;
    if (value instanceof Error) return `${value.name}: ${value.message}\n${value.stack ?? ""}`;
    return JSON.stringify(value) ?? String(value);
}
