// The parts of a URL `wasi:http` wants apart. The component's JavaScript engine has no `URL`.

import { invalidConfig } from "../errors.js";

/** An `http` or `https` URL. */
export interface Url {
    secure: boolean;
    /** `host[:port]`, in lower case. */
    authority: string;
    /** Path and query, at least `/`. */
    path: string;
    /** Scheme and authority. */
    origin: string;
}

/**
 * Reads a URL. A fragment is left out; a user name or a password is refused, for it would end up in logs. Messages name the
 * origin at most: the path of a webhook is often its secret. Throws `invalid-config`.
 */
export function parseUrl(text: string): Url {
    const bad = (why: string) => invalidConfig(`this is not a URL to call: ${why}`);
    const [, scheme, rest] = /^(https?):\/\/([^#]*)/i.exec(text) ?? [];
    if (scheme === undefined || rest === undefined) throw bad("it must begin with https:// or http://");
    const end = rest.search(/[/?]/);
    const authority = (end < 0 ? rest : rest.slice(0, end)).toLowerCase();
    if (authority.includes("@")) throw bad("it must not carry a user name or a password: use a header and a secret");
    if (authority === "" || authority.startsWith(":")) throw bad("it names no host");
    if (/[^\x21-\x7e]/.test(text)) throw bad("it contains a space, a control character or a letter outside ASCII");
    const path = end < 0 ? "" : rest.slice(end);
    const secure = scheme.toLowerCase() === "https";
    return { secure, authority, path: path.startsWith("/") ? path : `/${path}`, origin: `${secure ? "https" : "http"}://${authority}` };
}
