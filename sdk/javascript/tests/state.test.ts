// States and texts as bytes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { cut, decodeUtf8, decodeUtf8Lossy, encodeUtf8, Reader, Writer } from "bellwether";

const sample = (): Uint8Array =>
    new Writer("tag", 2)
        .texts(["a", "é€😀"])
        .numbers([1, Number.NaN])
        .number(-0)
        .whole(2 ** 53 - 1)
        .bytes(Uint8Array.of(7))
        .finish();

function read(bytes: Uint8Array): unknown[] {
    const reader = new Reader(bytes, "tag", 2);
    const all = [reader.texts(), [...reader.numbers()], reader.number(), reader.whole(), [...reader.bytes()]];
    reader.finish();
    return all;
}

test("what was written is read", () => {
    assert.deepEqual(read(sample()), [["a", "é€😀"], [1, Number.NaN], -0, 2 ** 53 - 1, [7]]);
});

test("the layout is that of the Rust SDK", () => {
    const bytes = new Writer("t", 1).whole(3).numbers([0.5]).finish();
    const hex = Buffer.from(bytes).toString("hex");
    assert.equal(hex, `010000000000000074${"01000000"}${"0300000000000000"}${"0100000000000000"}000000000000e03f`);
});

test("foreign, old and damaged states are refused", () => {
    const refused = (bytes: Uint8Array, message: RegExp) => assert.throws(() => read(bytes), { code: "invalid-input", message });
    refused(new Uint8Array(), /not a `tag` state/);
    refused(new Uint8Array(40).fill(0xff), /not a `tag` state/);
    refused(new Writer("other", 2).finish(), /not a `tag` state/);
    refused(new Writer("tag", 1).finish(), /version 1/);
    const whole = sample();
    for (let length = 15; length < whole.length; length++) refused(whole.slice(0, length), /damaged/);
    refused(Uint8Array.of(...whole, 0), /damaged/);
    refused(new Writer("tag", 2).whole(2 ** 40).finish(), /damaged/);
    const three = new Reader(new Writer("tag", 2).numbers([1, 2, 3]).finish(), "tag", 2);
    assert.throws(() => three.exactly(2), { code: "invalid-input" });
    assert.throws(() => new Writer("tag", 2).whole(-1), RangeError);
});

test("a state is read from the middle of a buffer", () => {
    const whole = sample();
    const shifted = new Uint8Array(whole.length + 3);
    shifted.set(whole, 3);
    assert.deepEqual(read(shifted.subarray(3)), read(whole));
});

test("UTF-8 is that of the platform", () => {
    const texts = ["", "plain", "é€😀\u{10ffff}\u0000", "x".repeat(1000), "ab\ud800c", "\udc00", "\u07ff\u0800\uffff\u{10000}"];
    for (const text of texts) {
        assert.deepEqual(encodeUtf8(text), new Uint8Array(new TextEncoder().encode(text)), JSON.stringify(text));
        assert.equal(decodeUtf8(encodeUtf8(text)), text.toWellFormed());
    }
    const broken = [
        [0xff],
        [0xc3],
        [0xc3, 0x28],
        [0xe2, 0x82],
        [0xed, 0xa0, 0x80],
        [0xf4, 0x90, 0x80, 0x80],
        [0xc0, 0x80],
        [0x80],
        [0xf0, 0x9f, 0x98],
    ];
    for (const bytes of broken) {
        assert.equal(decodeUtf8(Uint8Array.from(bytes)), undefined, bytes.join());
        assert.ok(decodeUtf8Lossy(Uint8Array.from([65, ...bytes, 66])).match(/^A\ufffd.*B$/su), bytes.join());
    }
});

test("a cut text ends in an ellipsis and in whole characters", () => {
    assert.deepEqual([cut("abc", 3), cut("abcd", 3), cut("a😀b", 3), cut("abc", 1), cut("abc", 0)], ["abc", "ab…", "a…", "…", ""]);
});
