// Templates, read into a tree. The language is small on purpose: values, filters, `if`, `each`; nothing is evaluated.
//
//     {{summary}}  {{labels.symbol}}  {{detail.psi | round 3}}  {{started | time}}  {{model_id | default "none"}}
//     {{#if resolved}}over{{else}}on{{/if}}   {{#each labels}}{{key}}={{value}} {{/each}}
//
// Whatever can be known without an alert is checked here, so that a mistake is refused when the plugin is configured.

import { invalidConfig, type PluginError } from "bellwether";
import { FILTERS, type FilterCall } from "./filters.ts";
import { NAMES, OPEN } from "./values.ts";

/** A piece of a template. */
export type Piece =
    | { kind: "text"; text: string }
    | { kind: "value"; path: string[]; filters: FilterCall[] }
    | { kind: "if"; path: string[]; then: Template; otherwise: Template }
    | { kind: "each"; path: string[]; body: Template };

/** Pieces in order. */
export type Template = Piece[];

/** Blocks within blocks; rendering recurses and the stack is small. */
const DEPTH = 8;

/** Reads a template; `where` names the setting in errors. Throws `invalid-config` with the line. */
export function parse(where: string, text: string): Template {
    const reader = new Reader(where, text);
    const template = reader.pieces([], []);
    return template;
}

class Reader {
    readonly #where: string;
    readonly #text: string;
    #at = 0;

    constructor(where: string, text: string) {
        this.#where = where;
        this.#text = text;
    }

    /** Pieces up to the end of the innermost of the `open` blocks; `loops` are names blocks around it add. */
    pieces(open: string[], loops: string[]): Template {
        const pieces: Template = [];
        for (;;) {
            const start = this.#text.indexOf("{{", this.#at);
            if (start > this.#at || start < 0)
                pieces.push({ kind: "text", text: this.#text.slice(this.#at, start < 0 ? undefined : start) });
            if (start < 0) {
                this.#at = this.#text.length;
                if (open.length > 0) throw this.#wrong(`{{#${open.at(-1)}}} is never ended by {{/${open.at(-1)}}}`);
                return pieces;
            }
            const tag = this.#tag(start);
            if (tag.startsWith("/") || tag === "else") {
                this.#at = start;
                if (open.length === 0) throw this.#wrong(`{{${tag}}} ends nothing`);
                return pieces;
            }
            pieces.push(tag.startsWith("#") ? this.#block(tag, open, loops) : this.#value(tag, loops));
        }
    }

    /** What stands between the braces at `start`; goes on behind them. */
    #tag(start: number): string {
        this.#at = start;
        const end = this.#text.indexOf("}}", start);
        if (end < 0) throw this.#wrong("{{ is never ended by }}");
        this.#at = end + 2;
        return this.#text.slice(start + 2, end).trim();
    }

    #block(tag: string, open: string[], loops: string[]): Piece {
        const [, kind, name] = /^#(if|each)\s+(\S+)$/.exec(tag) ?? [];
        if (kind === undefined || name === undefined)
            throw this.#wrong(`{{${tag}}} is no block; there are {{#if NAME}} and {{#each NAME}}`);
        if (open.length === DEPTH) throw this.#wrong(`more than ${DEPTH} blocks within each other`);
        const path = this.#path(name, loops);
        const inner = [...open, kind];
        const then = this.pieces(inner, kind === "each" ? ["key", "value"] : loops);
        let otherwise: Template = [];
        let end = this.#tag(this.#at);
        if (end === "else" && kind === "if") {
            otherwise = this.pieces(inner, loops);
            end = this.#tag(this.#at);
        }
        if (end !== `/${kind}`) throw this.#wrong(`{{${end}}} stands where {{/${kind}}} is expected`);
        return kind === "if" ? { kind, path, then, otherwise } : { kind: "each", path, body: then };
    }

    #value(tag: string, loops: string[]): Piece {
        const [name = "", ...rest] = tag.split("|").map((part) => part.trim());
        return { kind: "value", path: this.#path(name, loops), filters: rest.map((call) => this.#filter(call)) };
    }

    #path(name: string, loops: string[]): string[] {
        const path = name.split(".");
        if (!path.every((part) => /^[\p{L}\p{N}_-]+$/u.test(part))) throw this.#wrong(`\`${name}\` is no name`);
        const [first = ""] = path;
        if (loops.includes(first)) return path;
        if (!NAMES.includes(first)) throw this.#wrong(`an alert has no \`${first}\`; it has ${NAMES.join(", ")}`);
        if (path.length > 1 && !OPEN.includes(first)) throw this.#wrong(`\`${first}\` has no names within; ${OPEN.join(" and ")} have`);
        return path;
    }

    #filter(call: string): FilterCall {
        const [, name = "", argument = ""] = /^(\S*)\s*(.*)$/s.exec(call) ?? [];
        const filter = Object.hasOwn(FILTERS, name) ? FILTERS[name] : undefined;
        if (filter === undefined) throw this.#wrong(`there is no filter \`${name}\`; there are ${Object.keys(FILTERS).join(", ")}`);
        const read = filter.read(argument);
        if (read === undefined) throw this.#wrong(`filter \`${name}\` takes ${filter.takes}, not \`${argument}\``);
        return { apply: (value) => filter.apply(value, read) };
    }

    #wrong(why: string): PluginError {
        const line = this.#text.slice(0, this.#at).split("\n").length;
        return invalidConfig(`\`${this.#where}\`, line ${line}: ${why}`);
    }
}
