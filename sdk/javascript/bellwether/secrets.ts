// Secrets the operator mapped to this plugin by name. They cannot be listed, and must not get into messages or the log.

import { invalidConfig } from "./errors.js";
import { part } from "./host.js";

/** The value of a granted secret; undefined when it was not granted or is not set. */
export const get = (name: string): string | undefined => part("secrets").get(name) ?? undefined;

/** The same, without blanks around it. Throws `invalid-config` where there is none. */
export function need(name: string): string {
    const value = get(name)?.trim();
    if (!value) throw invalidConfig(`the secret \`${name}\` is not mapped to this plugin, or is not set`);
    return value;
}
