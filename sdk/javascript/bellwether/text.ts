// UTF-8, because the component's JavaScript engine has no TextEncoder and no TextDecoder.

/** The bytes of a text; a lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
    const bytes = new Uint8Array(text.length * 3);
    let at = 0;
    for (let place = 0; place < text.length; place++) {
        let code = text.codePointAt(place) as number;
        if (code > 0xffff) place++;
        else if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
        if (code < 0x80) {
            bytes[at++] = code;
            continue;
        }
        const tail = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
        bytes[at++] = (LEAD[tail] as number) | (code >> (6 * tail));
        for (let rest = tail - 1; rest >= 0; rest--) bytes[at++] = 0x80 | ((code >> (6 * rest)) & 0x3f);
    }
    return bytes.slice(0, at);
}

const LEAD = [0, 0xc0, 0xe0, 0xf0];
const LEAST = [0, 0x80, 0x800, 0x10000];

/** The text of some bytes; undefined when they are no UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
    return decode(bytes, undefined);
}

/** The text of some bytes; what is no UTF-8 becomes U+FFFD. */
export function decodeUtf8Lossy(bytes: Uint8Array): string {
    return decode(bytes, 0xfffd) as string;
}

function decode(bytes: Uint8Array, replacement: number | undefined): string | undefined {
    const parts: string[] = [];
    let codes: number[] = [];
    for (let at = 0; at < bytes.length; ) {
        const [code, length] = codeAt(bytes, at);
        if (code === undefined && replacement === undefined) return undefined;
        codes.push(code ?? (replacement as number));
        at += length;
        // Spread arguments lie on a small stack.
        if (codes.length === 256) {
            parts.push(String.fromCodePoint(...codes));
            codes = [];
        }
    }
    parts.push(String.fromCodePoint(...codes));
    return parts.join("");
}

/** The code point at a place and how many bytes it takes; undefined for bytes that are none. */
function codeAt(bytes: Uint8Array, at: number): [number | undefined, number] {
    const lead = bytes[at] as number;
    if (lead < 0x80) return [lead, 1];
    const tail = lead >= 0xf0 && lead < 0xf5 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead >= 0xf5) return [undefined, 1];
    let code = lead & (0x3f >> tail);
    for (let place = 1; place <= tail; place++) {
        const next = bytes[at + place];
        if (next === undefined || (next & 0xc0) !== 0x80) return [undefined, place];
        code = (code << 6) | (next & 0x3f);
    }
    const surrogate = code >= 0xd800 && code <= 0xdfff;
    if (code < (LEAST[tail] as number) || code > 0x10ffff || surrogate) return [undefined, tail + 1];
    return [code, tail + 1];
}

/** At most `length` UTF-16 units of a text, ending in an ellipsis where something was cut, never within a surrogate pair. */
export function cut(text: string, length: number): string {
    if (text.length <= length) return text;
    let end = Math.max(0, length - 1);
    const last = text.charCodeAt(end - 1);
    if (last >= 0xd800 && last <= 0xdbff) end--;
    return `${text.slice(0, end)}…`.slice(0, length);
}
