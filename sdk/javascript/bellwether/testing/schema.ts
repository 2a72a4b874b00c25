// Configurations as the host makes them: defaults filled in, then checked against the schema. Of JSON Schema it knows the
// keywords configurations use; the host knows all.

import type { Json } from "../contract.js";
import { invalidConfig } from "../errors.js";
import type { AnyPlugin, Plugin } from "../plugin.js";
import type { ConfigOf, Property, Schema } from "../schema.js";

type Fields = { [name: string]: Json | undefined };

/**
 * The configuration a plugin gets when the operator gives `given`. Throws `invalid-config` where the host would refuse it
 * and where the plugin's own `check` does.
 */
export function config<S extends Schema>(plugin: Plugin<S> | (AnyPlugin & { configSchema: S }), given: Fields = {}): ConfigOf<S> {
    const filled = fill(plugin.configSchema, given);
    validate(plugin.configSchema, filled, "the configuration");
    plugin.check?.(filled as never);
    return filled as ConfigOf<S>;
}

/** Checks a plugin's schema the way the host will, with `required` for the properties that have no default. */
export function checkSchema(plugin: AnyPlugin, required: Fields = {}): void {
    const schema: Schema = JSON.parse(JSON.stringify(plugin.configSchema));
    if (schema.type !== "object") throw new Error("configSchema must describe an object");
    if (schema.additionalProperties !== false) throw new Error("configSchema must refuse unknown properties");
    for (const [name, property] of Object.entries(schema.properties)) {
        if (typeof property.description !== "string") throw new Error(`property \`${name}\` has no description`);
    }
    config(plugin, required);
}

/** `given` over the defaults, also within objects. */
export function fill(schema: Property, given: Fields): Fields {
    const filled: Fields = {};
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
        const value = name in given ? given[name] : (structuredClone(property.default) as Json | undefined);
        if (value === undefined) continue;
        filled[name] = property.properties !== undefined && isObject(value) ? (fill(property, value) as Json) : value;
    }
    return { ...given, ...filled };
}

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

/** Throws `invalid-config` naming the place for a value its schema refuses. */
export function validate(schema: Property, value: unknown, place: string): void {
    for (const check of [checkType, checkChoices, checkNumber, checkText, checkItems, checkFields]) {
        const why = check(schema, value, place);
        if (why !== undefined) throw invalidConfig(`${place} ${why}`);
    }
}

function checkType({ type }: Property, value: unknown): string | undefined {
    if (type === undefined) return undefined;
    const found = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
    const fits = type === "integer" ? Number.isInteger(value) : found === type;
    return fits ? undefined : `is ${JSON.stringify(value)}: it must be of type ${type}`;
}

function checkChoices(schema: Property, value: unknown): string | undefined {
    const same = (one: unknown) => JSON.stringify(one) === JSON.stringify(value);
    if (schema.enum !== undefined && !schema.enum.some(same))
        return `is ${JSON.stringify(value)}: it must be one of ${JSON.stringify(schema.enum)}`;
    return "const" in schema && !same(schema.const) ? `must be ${JSON.stringify(schema.const)}` : undefined;
}

function checkNumber(schema: Property, value: unknown): string | undefined {
    if (typeof value !== "number") return undefined;
    const bounds: [string, (bound: number) => boolean][] = [
        ["minimum", (bound) => value >= bound],
        ["maximum", (bound) => value <= bound],
        ["exclusiveMinimum", (bound) => value > bound],
        ["exclusiveMaximum", (bound) => value < bound],
    ];
    const broken = bounds.find(([keyword, holds]) => typeof schema[keyword] === "number" && !holds(schema[keyword]));
    return broken && `is ${value}: \`${broken[0]}\` is ${schema[broken[0]]}`;
}

function checkText(schema: Property, value: unknown): string | undefined {
    if (typeof value !== "string") return undefined;
    const { minLength, maxLength, pattern } = schema as { minLength?: number; maxLength?: number; pattern?: string };
    const length = [...value].length;
    if (length < (minLength ?? 0) || length > (maxLength ?? length))
        return `has ${length} characters: ${minLength ?? 0} to ${maxLength ?? "any"} are allowed`;
    return pattern !== undefined && !new RegExp(pattern, "u").test(value) ? `does not match ${pattern}` : undefined;
}

function checkItems(schema: Property, value: unknown, place: string): string | undefined {
    if (!Array.isArray(value)) return undefined;
    const { minItems, maxItems } = schema as { minItems?: number; maxItems?: number };
    if (value.length < (minItems ?? 0) || value.length > (maxItems ?? value.length)) return `has ${value.length} items`;
    if (schema.items !== undefined) for (const [at, item] of value.entries()) validate(schema.items, item, `${place}[${at}]`);
    return undefined;
}

function checkFields(schema: Property, value: unknown, place: string): string | undefined {
    if (!isObject(value)) return undefined;
    const missing = schema.required?.find((name) => !(name in value));
    if (missing !== undefined) return `lacks \`${missing}\``;
    for (const [name, item] of Object.entries(value)) {
        const property = schema.properties?.[name] ?? schema.additionalProperties;
        if (property === false) return `has no setting \`${name}\``;
        if (typeof property === "object") validate(property, item, `${place}: \`${name}\``);
    }
    return undefined;
}
