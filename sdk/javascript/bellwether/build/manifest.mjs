// What the build has to know of `plugin.toml`: name, version, kind, and what the plugin wants. It reads the TOML such a file
// is written in (tables, texts, lists of texts, booleans, numbers) and nothing more; the host reads it properly.

import { readFileSync } from "node:fs";

/** Reads a manifest. Errors name the line. */
export function readManifest(path) {
    const tables = { "": {} };
    let table = tables[""];
    const lines = readFileSync(path, "utf8").split(/\r?\n/);
    for (let at = 0; at < lines.length; at++) {
        let line = bare(lines[at]);
        const head = /^\[\s*([^[\]]+?)\s*\]$/.exec(line);
        if (head) {
            table = tables[head[1]] ??= {};
            continue;
        }
        const [, key, start] = /^([\w-]+)\s*=\s*(.*)$/.exec(line) ?? [];
        if (key === undefined) continue;
        let value = start;
        // A list may go on over several lines.
        while (value.startsWith("[") && !value.endsWith("]") && at + 1 < lines.length) value += bare(lines[++at]);
        table[key] = read(value);
    }
    const { name, version, kind } = tables[""];
    for (const [key, value] of Object.entries({ name, version, kind })) {
        if (typeof value !== "string") throw new Error(`plugin.toml: \`${key}\` is missing`);
    }
    const { http = [], secrets = [], clock = false } = tables["wants"] ?? {};
    return { name, version, kind, wants: { http: http.length > 0, secrets: secrets.length > 0, clock: clock === true } };
}

/** A line without its comment. */
function bare(line) {
    return line.replace(/("(?:[^"\\]|\\.)*"|'[^']*')|#.*$/g, (_, text) => text ?? "").trim();
}

/** A value; what is not understood is kept as text, for it is none the build asks for. */
function read(value) {
    const json = value.replace(/'([^']*)'/g, (_, text) => JSON.stringify(text)).replace(/,\s*\]$/, "]");
    try {
        return JSON.parse(json);
    } catch {
        return value;
    }
}
