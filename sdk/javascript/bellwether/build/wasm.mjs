// Sections of WebAssembly binaries, of modules and of components alike: a header of eight bytes, then per section an id, a
// length and that many bytes. Enough to change a few and put all together again; what is in them others know.

/** Reads numbers and bytes one after another. */
export class Cursor {
    constructor(bytes) {
        this.bytes = bytes;
        this.at = 0;
    }

    get done() {
        return this.at >= this.bytes.length;
    }

    byte() {
        return this.bytes[this.at++];
    }

    /** An unsigned LEB128 number. */
    number() {
        let value = 0;
        for (let scale = 1; ; scale *= 128) {
            const byte = this.byte();
            value += (byte & 0x7f) * scale;
            if (byte < 0x80) return value;
        }
    }

    take(length) {
        const bytes = this.bytes.subarray(this.at, this.at + length);
        this.at += length;
        return bytes;
    }

    text() {
        return this.take(this.number()).toString("utf8");
    }

    rest() {
        return this.take(this.bytes.length - this.at);
    }
}

/** A number as unsigned LEB128. */
export function leb(value) {
    const bytes = [];
    do {
        bytes.push((value % 128) | (value >= 128 ? 0x80 : 0));
        value = Math.floor(value / 128);
    } while (value > 0);
    return Buffer.from(bytes);
}

/** Whether a binary is a component; else it is a module. */
export const isComponent = (bytes) => bytes.readUInt16LE(4) === 0x0d;

/** The sections of a binary. */
export function sections(bytes) {
    const cursor = new Cursor(bytes);
    cursor.take(8);
    const found = [];
    while (!cursor.done) found.push({ id: cursor.byte(), content: cursor.take(cursor.number()) });
    return found;
}

/** The binary with other sections behind its header. */
export function assemble(bytes, parts) {
    return Buffer.concat([bytes.subarray(0, 8), ...parts.flatMap(({ id, content }) => [Buffer.from([id]), leb(content.length), content])]);
}
