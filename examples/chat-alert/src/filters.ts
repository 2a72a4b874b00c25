// Filters of the template language: each turns one value into another. A value a filter cannot use passes through
// unchanged, for a message with a raw number is better than no message.

import { cut, type Json } from "bellwether";

/** A value while it is written; undefined where the alert has none. */
export type Value = Json | undefined;

/** A filter as a template calls it. */
export interface FilterCall {
    apply(value: Value): Value;
}

interface Filter {
    /** What it takes, for errors. */
    takes: string;
    /** Its argument; undefined where that is wrong. */
    read(argument: string): string | number | undefined;
    apply(value: Value, argument: string | number): Value;
}

const nothing = (argument: string) => (argument === "" ? "" : undefined);
const whole = (most: number, otherwise?: number) => (argument: string) => {
    if (argument === "") return otherwise;
    return /^\d{1,5}$/.test(argument) && Number(argument) <= most ? Number(argument) : undefined;
};
const quoted = (argument: string) => /^"([^"]*)"$/.exec(argument)?.[1];
const onText = (change: (text: string) => string) => (value: Value) => (typeof value === "string" ? change(value) : value);

/** A moment as ISO 8601 has it, cut to what is asked for; undefined for what is none. */
function moment(value: Value, length: number): string | undefined {
    if (typeof value !== "number" || !(Math.abs(value) <= 8.64e15)) return undefined;
    return new Date(value).toISOString().replace("T", " ").slice(0, length);
}

/** Fixed places; beyond what `toFixed` writes out, the plain number. */
const fixed = (value: number, places: number): Value => (Math.abs(value) < 1e21 ? value.toFixed(places) : value);

/** The filters, by name. */
export const FILTERS: { readonly [name: string]: Filter } = {
    upper: { takes: "nothing", read: nothing, apply: onText((text) => text.toUpperCase()) },
    lower: { takes: "nothing", read: nothing, apply: onText((text) => text.toLowerCase()) },
    time: {
        takes: "nothing",
        read: nothing,
        apply: (value) => {
            const text = moment(value, 16);
            return text === undefined ? value : `${text} UTC`;
        },
    },
    date: { takes: "nothing", read: nothing, apply: (value) => moment(value, 10) ?? value },
    round: {
        takes: "a number of places from 0 to 20",
        read: whole(20, 0),
        apply: (value, places) => (typeof value === "number" ? fixed(value, Number(places)) : value),
    },
    percent: {
        takes: "a number of places from 0 to 20",
        read: whole(20, 0),
        apply: (value, places) => (typeof value === "number" ? `${fixed(value * 100, Number(places))} %` : value),
    },
    cut: {
        takes: "a length from 1 to 4000",
        read: (argument) => whole(4000)(argument) || undefined,
        apply: (value, length) => (typeof value === "string" ? cut(value, Number(length)) : value),
    },
    default: { takes: "a text in double quotes", read: quoted, apply: (value, text) => (value == null || value === "" ? text : value) },
    json: { takes: "nothing", read: nothing, apply: (value) => (value === undefined ? undefined : JSON.stringify(value)) },
};
