// What the build does to a component after it was made: borrowed handles go back in time, WASI gets its name back.

import assert from "node:assert/strict";
import { test } from "node:test";
// @ts-expect-error The build is plain JavaScript.
import { returnBorrows } from "../bellwether/build/borrows.mjs";
// @ts-expect-error The build is plain JavaScript.
import { assemble, Cursor, leb, sections } from "../bellwether/build/wasm.mjs";
// @ts-expect-error The build is plain JavaScript.
import { renameImports } from "../bellwether/build/world.mjs";

// Node has it; its types stand with those of browsers.
declare const WebAssembly: {
    Table: new (type: { element: string; initial: number }) => { get(index: number): unknown };
    Global: new (type: { value: string }, value: number) => object;
    instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: Record<string, unknown> } }>;
};

const COMPONENT = Buffer.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]);
const MODULE = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
const text = (value: string): number[] => [...leb(value.length), ...Buffer.from(value)];
const section = (id: number, ...content: number[]) => ({ id, content: Buffer.from(content) });

/**
 * A module as the engine's binding is: it imports the drop of a frame and `push`, has both in its table, and exports a
 * function of five parameters that answers with the sum of its third and its fifth.
 */
function binding(name: string): Buffer {
    return assemble(MODULE, [
        section(1, 2, 0x60, 1, 0x7f, 0, 0x60, 5, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 1, 0x7f),
        section(
            2,
            4,
            ...[...text("env"), ...text("table"), 1, 0x70, 0, 2],
            ...[...text("env"), ...text("base"), 3, 0x7f, 0],
            ...[...text("env"), ...text("push"), 0, 0],
            ...[...text("data"), ...text("[resource-drop]frame"), 0, 0],
        ),
        section(3, 1, 1),
        section(7, 2, ...text(name), 0, 2, ...text("through"), 1, 0),
        section(9, 1, 2, 0, 0x23, 0, 0x0b, 0, 2, 0, 1),
        section(10, 1, 7, 0, 0x20, 2, 0x20, 4, 0x6a, 0x0b),
    ]);
}

const parts = (bytes: Buffer): { id: number; content: Buffer }[] => sections(bytes);

test("a function that borrows drops its handles before it returns", async () => {
    const module = binding("bellwether:drift/test@0.1.0#test");
    const wrapped = returnBorrows(assemble(COMPONENT, [{ id: 4, content: assemble(COMPONENT, [{ id: 1, content: module }]) }]));
    const inner = parts(parts(wrapped)[0]?.content as Buffer)[0]?.content as Buffer;

    const dropped: number[] = [];
    const table = new WebAssembly.Table({ element: "anyfunc", initial: 2 });
    const env = { table, base: new WebAssembly.Global({ value: "i32" }, 0), push: () => {} };
    const data = { "[resource-drop]frame": (handle: number) => void dropped.push(handle) };
    const { instance } = await WebAssembly.instantiate(inner, { env, data });
    const run = instance.exports["bellwether:drift/test@0.1.0#test"] as (...given: number[]) => number;
    assert.equal(run(1, 2, 30, 4, 500), 530);
    assert.deepEqual(dropped, [30]);
    // What the engine drops through its table later does nothing; its other functions are untouched.
    (table.get(1) as (handle: number) => void)(30);
    assert.deepEqual(dropped, [30]);
});

test("a module that exports nothing that borrows stays as it is", () => {
    const module = binding("bellwether:deploy/strategy@0.2.0#next");
    const component = assemble(COMPONENT, [{ id: 1, content: module }, section(0, 1, 0x61)]);
    assert.deepEqual(returnBorrows(component), component);
});

test("numbers of any size are written as they are read", () => {
    for (const value of [0, 1, 127, 128, 300, 2 ** 31, 2 ** 32 - 1]) assert.equal(new Cursor(leb(value)).number(), value);
});

test("WASI gets its name back in the outermost imports alone", () => {
    const component = assemble(COMPONENT, [section(10, ...Buffer.from("wasj:io wasj:http")), section(4, ...Buffer.from("wasj:io"))]);
    assert.deepEqual(
        parts(renameImports(component)).map(({ content }) => content.toString()),
        ["wasi:io wasi:http", "wasj:io"],
    );
});
