// The world of one plugin: the exports of its kind and only the imports it can use, so that a handler that wants no secret
// imports none. The contract in `wit/` lies there one folder a package; the component tool wants the packages below `deps`.

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sections } from "./wasm.mjs";

/** Per world: exported interfaces, imported host interfaces, folders of the contract. */
const WORLDS = {
    "drift-test": { exports: ["drift/test"], host: ["log", "data", "stats", "random"], folders: ["drift"] },
    "drift-detector": { exports: ["drift/detector"], host: ["log", "stats"], folders: ["drift"] },
    "alert-handler": { exports: ["alert/handler"], host: ["log"], folders: ["alert"] },
    "deployment-strategy": { exports: ["deploy/strategy"], host: ["log", "stats"], folders: ["deploy"] },
    model: { exports: ["model/planner"], host: ["log"], folders: ["nn", "model"] },
    "guest-model": {
        exports: ["model/planner", "model/estimator"],
        host: ["log", "data", "stats", "random", "progress"],
        folders: ["nn", "model"],
    },
};

/**
 * While a component is made, the WASI of its world must not be mixed with the engine's, which is linked already: resources
 * of one would be taken for the other's. So it goes by another name of the same length, to which `renameImports` gives the
 * name back, and by the version before the engine's, so that no two imports have one name. A host has one WASI for both.
 */
export const OWN_WASI = "wasj:";
const OWN_VERSION = "0.2.11";
const WASI = "wasi:";

/** Writes the WIT of a world into `folder`; returns the specifiers of what it imports, by short name. */
export function writeWorld(folder, contract, world, wants) {
    const { exports, host, folders } = WORLDS[world];
    const granted = world === "alert-handler" ? ["clock", "secrets"].filter((name) => wants[name]) : [];
    const http = world === "alert-handler" && wants.http;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(join(folder, "deps"), { recursive: true });
    for (const name of ["types", "host", ...folders]) cpSync(join(contract, name), join(folder, "deps", name), { recursive: true });
    // The packages of the contract refer to WASI even where this world does not.
    for (const file of readdirSync(join(contract, "wasi"))) copyRenamed(join(contract, "wasi", file), join(folder, "deps", file));
    if (existsSync(join(folder, "deps", "alert"))) renameAll(join(folder, "deps", "alert"));

    const versions = Object.fromEntries(["types", "host", ...folders].map((name) => [name, packageVersion(join(contract, name))]));
    const imports = Object.fromEntries([...host, ...granted].map((name) => [name, `bellwether:host/${name}@${versions.host}`]));
    if (http) {
        imports.outgoingHandler = `${OWN_WASI}http/outgoing-handler@${OWN_VERSION}`;
        imports.httpTypes = `${OWN_WASI}http/types@${OWN_VERSION}`;
    }
    const exported = exports.map((name) => `bellwether:${name}@${versions[name.split("/")[0]]}`);
    const lines = [
        "package bellwether:build;",
        "world plugin {",
        ...Object.values(imports).map((specifier) => `    import ${specifier};`),
        `    export bellwether:types/plugin@${versions.types};`,
        ...exported.map((specifier) => `    export ${specifier};`),
        "}",
        "",
    ];
    writeFileSync(join(folder, "world.wit"), lines.join("\n"));
    return imports;
}

/** Gives WASI its name back in the outermost imports of a component; the names have one length, so nothing moves. */
export function renameImports(component) {
    const IMPORTS = 10;
    for (const { id, content } of sections(component)) {
        if (id !== IMPORTS) continue;
        for (let place = 0; (place = content.indexOf(OWN_WASI, place)) >= 0; ) content.write(WASI, place);
    }
    return component;
}

function copyRenamed(from, to) {
    const text = readFileSync(from, "utf8").replaceAll(WASI, OWN_WASI);
    writeFileSync(to, text.replace(/(wasj:[\w/-]+@|version = )\d+\.\d+\.\d+/g, `$1${OWN_VERSION}`));
}

function renameAll(folder) {
    for (const file of readdirSync(folder)) copyRenamed(join(folder, file), join(folder, file));
}

function packageVersion(path) {
    const files = path.endsWith(".wit") ? [path] : readdirSync(path).map((file) => join(path, file));
    const found = files.map((file) => /^package [\w:-]+@([\w.+-]+);/m.exec(readFileSync(file, "utf8"))?.[1]).find(Boolean);
    if (found === undefined) throw new Error(`${path} names no package with a version: is it the contract's \`wit/\`?`);
    return found;
}
