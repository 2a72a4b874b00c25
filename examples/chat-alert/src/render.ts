// Writes a template for one alert. Values are escaped for the chat, the template's own text is not: it is the operator's
// markup.

import type { Json } from "bellwether";
import type { Value } from "./filters.ts";
import type { Template } from "./template.ts";

/** Values by name. */
export type Values = { readonly [name: string]: Json | undefined };

/** The text of a template. */
export function render(template: Template, values: Values, escape: (text: string) => string): string {
    let text = "";
    for (const piece of template) {
        switch (piece.kind) {
            case "text":
                text += piece.text;
                break;
            case "value":
                text += escape(shown(piece.filters.reduce<Value>((value, filter) => filter.apply(value), look(values, piece.path))));
                break;
            case "if":
                text += render(holds(look(values, piece.path)) ? piece.then : piece.otherwise, values, escape);
                break;
            case "each":
                for (const [key, value] of entries(look(values, piece.path))) text += render(piece.body, { ...values, key, value }, escape);
        }
    }
    return text;
}

/** The value at a path. Own properties only: a name such as `constructor` must not lead anywhere. */
function look(values: Values, path: string[]): Value {
    let value: Value = values;
    for (const name of path) {
        if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
        value = (value as Values)[name];
    }
    return value;
}

/** Whether a block is written: not for nothing, false, zero, and what is empty. */
function holds(value: Value): boolean {
    return typeof value === "object" && value !== null ? entries(value).length > 0 : Boolean(value);
}

const entries = (value: Value): [string, Value][] => (typeof value === "object" && value !== null ? Object.entries(value) : []);

/** A value as text: nothing for none, JSON for what has parts. */
function shown(value: Value): string {
    if (value === undefined || value === null) return "";
    return typeof value === "object" ? JSON.stringify(value) : String(value);
}
