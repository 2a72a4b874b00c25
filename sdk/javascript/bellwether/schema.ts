// The JSON Schema of a configuration, and the type TypeScript derives from it: what the schema says and what the code reads
// cannot differ, because there is one text. Only the parts of JSON Schema configurations need have a type here; the host
// understands all of it.

/** A schema of one value. */
export interface Property {
    readonly type?: "string" | "number" | "integer" | "boolean" | "array" | "object" | "null";
    readonly enum?: readonly unknown[];
    readonly const?: unknown;
    readonly default?: unknown;
    readonly description?: string;
    readonly properties?: { readonly [name: string]: Property };
    readonly required?: readonly string[];
    readonly items?: Property;
    readonly additionalProperties?: boolean | Property;
    readonly [keyword: string]: unknown;
}

/** The schema of a whole configuration: an object that refuses what it does not name. */
export interface Schema extends Property {
    readonly type: "object";
    readonly additionalProperties: false;
    readonly properties: { readonly [name: string]: Property };
}

/** A configuration without settings. */
export const NO_SETTINGS = { type: "object", additionalProperties: false, properties: {} } as const satisfies Schema;

/** What a configuration looks like to the plugin, after the host filled in the defaults. */
export type ConfigOf<S> = S extends { readonly properties: infer P }
    ? Flat<{ -readonly [K in Present<S, P>]: ValueOf<P[K]> } & { -readonly [K in Exclude<keyof P, Present<S, P>>]?: ValueOf<P[K]> }>
    : never;

/** Properties that are always there: those with a default and those that are required. */
type Present<S, P> =
    | { [K in keyof P]: P[K] extends { readonly default: unknown } ? K : never }[keyof P]
    | (S extends { readonly required: readonly (infer R)[] } ? R & keyof P : never);

type ValueOf<S> = S extends { readonly const: infer V }
    ? V
    : S extends { readonly enum: readonly (infer V)[] }
      ? V
      : S extends { readonly type: "string" }
        ? string
        : S extends { readonly type: "number" | "integer" }
          ? number
          : S extends { readonly type: "boolean" }
            ? boolean
            : S extends { readonly type: "null" }
              ? null
              : S extends { readonly type: "array"; readonly items: infer I }
                ? ValueOf<I>[]
                : S extends { readonly properties: object }
                  ? ConfigOf<S>
                  : S extends { readonly type: "object"; readonly additionalProperties: infer A extends Property }
                    ? { [name: string]: ValueOf<A> }
                    : unknown;

type Flat<T> = { [K in keyof T]: T[K] };
