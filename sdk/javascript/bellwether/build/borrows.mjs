// Borrowed handles are given back before a call returns.
//
// A component must drop the handles it borrows (frames, windows) before its function returns. The engine of this SDK drops
// them when the host has read the answer, which is too late: the host reports a trap. So the module that binds the contract
// to the engine gets, for each function that borrows, a wrapper: it calls the function, drops the borrowed handles and
// returns what came. The engine's own drop of such a resource becomes a function that does nothing; plugins never own one.

import { assemble, Cursor, isComponent, leb, sections } from "./wasm.mjs";

/** Functions that borrow, and which of their flat parameters are the handles. A list is two parameters. */
const BORROWING = [
    { function: /^bellwether:drift\/test@[^#]*#baseline$/, resource: "frame", parameters: [0] },
    { function: /^bellwether:drift\/test@[^#]*#test$/, resource: "frame", parameters: [2] },
    { function: /^bellwether:model\/estimator@[^#]*#fit$/, resource: "windows", parameters: [0, 1] },
    { function: /^bellwether:model\/estimator@[^#]*#predict$/, resource: "windows", parameters: [2] },
];

const [CORE_MODULE, COMPONENT] = [1, 4];
const [TYPES, IMPORTS, FUNCTIONS, EXPORTS, ELEMENTS, CODE] = [1, 2, 3, 7, 9, 10];

/** The component with wrappers around what borrows. */
export function returnBorrows(component) {
    const parts = sections(component).map(({ id, content }) => {
        if (id === COMPONENT) return { id, content: returnBorrows(content) };
        return { id, content: id === CORE_MODULE ? wrapModule(content) : content };
    });
    return assemble(component, parts);
}

/** A module with its wrappers; the module itself when it exports nothing that borrows. */
function wrapModule(module) {
    if (isComponent(module)) throw new Error("a component lies where a module was expected");
    const parts = sections(module);
    const section = (id) => parts.find((part) => part.id === id);
    const exported = section(EXPORTS) === undefined ? [] : readExports(section(EXPORTS).content);
    const wrapped = exported.flatMap((item) => {
        const rule = BORROWING.find((rule) => item.kind === 0 && rule.function.test(item.name));
        return rule === undefined ? [] : [{ item, rule }];
    });
    if (wrapped.length === 0) return module;

    const types = readTypes(section(TYPES).content);
    const imports = readImports(section(IMPORTS).content);
    const functions = readList(section(FUNCTIONS).content);
    const drops = new Map(["frame", "windows"].map((name) => [name, imports.findIndex((item) => item.name === `[resource-drop]${name}`)]));
    const typeOf = (index) => (index < imports.length ? imports[index].type : functions[index - imports.length]);
    const [added, bodies] = [[], []];
    const add = (type, code) => {
        added.push(type);
        bodies.push(Buffer.from([0, ...code, 0x0b]));
        return imports.length + functions.length + added.length - 1;
    };
    for (const { item, rule } of wrapped) {
        const drop = drops.get(rule.resource);
        const type = typeOf(item.index);
        const code = Array.from({ length: types[type] }, (_, at) => [0x20, ...leb(at)]).flat();
        code.push(0x10, ...leb(item.index));
        for (const parameter of rule.parameters) code.push(0x20, ...leb(parameter), 0x10, ...leb(drop));
        item.index = add(type, code);
    }
    const dropped = [...drops.values()].filter((index) => index >= 0);
    const nothing = add(typeOf(dropped[0]), []);
    section(EXPORTS).content = writeExports(exported);
    section(FUNCTIONS).content = Buffer.concat([leb(functions.length + added.length), ...[...functions, ...added].map(leb)]);
    section(ELEMENTS).content = replaceElements(section(ELEMENTS).content, dropped, nothing);
    section(CODE).content = appendCode(section(CODE).content, bodies);
    return assemble(module, parts);
}

/** Number of parameters per type. */
function readTypes(content) {
    const cursor = new Cursor(content);
    return Array.from({ length: cursor.number() }, () => {
        if (cursor.byte() !== 0x60) throw new Error("a type that is no function");
        const parameters = cursor.number();
        cursor.take(parameters);
        cursor.take(cursor.number());
        return parameters;
    });
}

/** Imported functions, in order. */
function readImports(content) {
    const cursor = new Cursor(content);
    const functions = [];
    for (let left = cursor.number(); left > 0; left--) {
        cursor.text();
        const name = cursor.text();
        const kind = cursor.byte();
        if (kind === 0) functions.push({ name, type: cursor.number() });
        else if (kind === 3) cursor.take(2);
        else {
            // A memory, or a table, which begins with the type of its elements: flags, least, most if the flags say so.
            if (kind === 1) cursor.byte();
            const flags = cursor.byte();
            cursor.number();
            if (flags & 1) cursor.number();
        }
    }
    return functions;
}

function readList(content) {
    const cursor = new Cursor(content);
    return Array.from({ length: cursor.number() }, () => cursor.number());
}

function readExports(content) {
    const cursor = new Cursor(content);
    return Array.from({ length: cursor.number() }, () => ({ name: cursor.text(), kind: cursor.byte(), index: cursor.number() }));
}

function writeExports(exported) {
    const items = exported.map(({ name, kind, index }) => {
        const text = Buffer.from(name, "utf8");
        return Buffer.concat([leb(text.length), text, Buffer.from([kind]), leb(index)]);
    });
    return Buffer.concat([leb(items.length), ...items]);
}

/** Elements of the table with `old` functions replaced: the engine reaches imports through it. */
function replaceElements(content, old, by) {
    const cursor = new Cursor(content);
    const segments = Array.from({ length: cursor.number() }, () => {
        const start = cursor.at;
        const flags = cursor.number();
        if (flags !== 0 && flags !== 2) throw new Error("a segment of elements in a form this build does not know");
        if (flags === 2) cursor.number();
        // Where it begins: one instruction with one number, and the end.
        cursor.byte();
        cursor.number();
        if (cursor.byte() !== 0x0b) throw new Error("an offset of elements in a form this build does not know");
        if (flags === 2) cursor.byte();
        const head = content.subarray(start, cursor.at);
        const functions = Array.from({ length: cursor.number() }, () => cursor.number());
        return Buffer.concat([head, leb(functions.length), ...functions.map((index) => leb(old.includes(index) ? by : index))]);
    });
    return Buffer.concat([leb(segments.length), ...segments]);
}

function appendCode(content, bodies) {
    const cursor = new Cursor(content);
    const count = cursor.number();
    return Buffer.concat([leb(count + bodies.length), cursor.rest(), ...bodies.flatMap((body) => [leb(body.length), body])]);
}
