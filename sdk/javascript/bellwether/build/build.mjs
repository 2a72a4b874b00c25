// Makes the component of a project: types, one file, a look at the definition, the world, the component.
//
//     node build.mjs --tools FOLDER --wit FOLDER [--project FOLDER]
//
// It leaves `build/plugin.wasm`. `build.sh` of a project calls it with what `setup.sh` installed.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { returnBorrows } from "./borrows.mjs";
import { bundling, checkTypes, entryOf } from "./bundle.mjs";
import { readManifest } from "./manifest.mjs";
import { renameImports, writeWorld } from "./world.mjs";

const sdk = dirname(dirname(fileURLToPath(import.meta.url)));
const option = { type: "string" };
const { values } = parseArgs({ options: { tools: option, wit: option, project: { ...option, default: "." } } });
const [tools, wit, project] = [values.tools, values.wit, values.project].map((path) => resolve(path));
const require = createRequire(join(tools, "package.json"));

try {
    await build();
} catch (error) {
    console.error(`build: ${error.message}`);
    process.exitCode = 1;
}

async function build() {
    const folder = join(project, "build");
    mkdirSync(folder, { recursive: true });
    const manifest = readManifest(join(project, "plugin.toml"));
    const entry = entryOf(project);
    checkTypes(tools, join(project, "tsconfig.json"));
    const world = await inspect(entry, join(folder, "definition.mjs"), manifest);
    const imports = writeWorld(join(folder, "wit"), wit, world, manifest.wants);
    const script = join(folder, "plugin.js");
    const stdin = { contents: entryText(entry, imports), resolveDir: project, sourcefile: "entry.js" };
    await require("esbuild").build({ ...bundling(sdk), stdin, platform: "neutral", outfile: script });
    const component = await componentize(script, join(folder, "wit"));
    writeFileSync(join(folder, "plugin.wasm"), component);
    console.log(`build/plugin.wasm: ${manifest.name} ${manifest.version}, ${manifest.kind}, ${component.length} bytes`);
}

/** Loads the definition natively and compares it with the manifest, as the host will; returns its world. */
async function inspect(entry, file, manifest) {
    await require("esbuild").build({ ...bundling(sdk), entryPoints: [entry], platform: "neutral", outfile: file });
    const { default: plugin } = await import(pathToFileURL(file));
    const worlds = manifest.kind === "model" ? ["model", "guest-model"] : [manifest.kind];
    if (plugin?.world === undefined) throw new Error(`${entry} must export by default what driftTest(), alertHandler() and so on return`);
    if (!worlds.includes(plugin.world))
        throw new Error(`plugin.toml says kind \`${manifest.kind}\`, the source defines a \`${plugin.world}\``);
    for (const key of ["name", "version"]) {
        if (plugin[key] !== manifest[key]) {
            throw new Error(`${key} is \`${manifest[key]}\` in plugin.toml and \`${plugin[key]}\` in the source: make them equal`);
        }
    }
    return plugin.world;
}

/** The file that is the component: the definition, served over the imports of its world. */
function entryText(entry, { outgoingHandler, httpTypes, ...host }) {
    const names = Object.keys(host);
    const http = outgoingHandler !== undefined;
    return [
        `import plugin from ${JSON.stringify(entry)};`,
        `import { serve } from ${JSON.stringify(join(sdk, "serve.ts"))};`,
        ...names.map((name) => `import * as ${name} from ${JSON.stringify(host[name])};`),
        ...(http ? [`import { handle } from ${JSON.stringify(outgoingHandler)};`] : []),
        ...(http ? [`import * as types from ${JSON.stringify(httpTypes)};`] : []),
        `const served = serve(plugin, { ${[...names, ...(http ? ["http: { handle, types }"] : [])].join(", ")} });`,
        "const { test, detector, handler, strategy, planner, estimator } = served;",
        "const describing = served.plugin;",
        "export { describing as plugin, test, detector, handler, strategy, planner, estimator };",
        "",
    ].join("\n");
}

async function componentize(script, witPath) {
    const jsSource = readFileSync(script, "utf8");
    // The engine imports a WASI of its own; the host gives it an empty one. Stubs instead would trap where JavaScript asks
    // for the time, and take a third memory, which hosts do not pool.
    const options = { witPath, jsSource, world: "plugin", sync: true };
    const { component } = await require("componentize-qjs").componentize(options);
    return renameImports(returnBorrows(component));
}
