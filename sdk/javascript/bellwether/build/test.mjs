// Runs the unit tests of a project: types, one bundle a test file, Node's own test runner.
//
//     node test.mjs --tools FOLDER [--project FOLDER] [OPTIONS OF node --test]

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bundling, checkTypes } from "./bundle.mjs";

const sdk = dirname(dirname(fileURLToPath(import.meta.url)));
const option = { type: "string" };
const { values, positionals } = parseArgs({
    options: { tools: option, project: { ...option, default: "." }, tests: { ...option, default: "test" } },
    allowPositionals: true,
});
const [tools, project] = [values.tools, values.project].map((path) => resolve(path));

try {
    process.exitCode = await test();
} catch (error) {
    console.error(`test: ${error.message}`);
    process.exitCode = 1;
}

async function test() {
    const folder = join(project, values.tests);
    const config = [join(folder, "tsconfig.json"), join(project, "tsconfig.json")].find((path) => existsSync(path));
    checkTypes(tools, config);
    const entryPoints = readdirSync(folder)
        .filter((file) => /\.test\.[jt]s$/.test(file))
        .map((file) => join(folder, file));
    if (entryPoints.length === 0) throw new Error(`no file in ${values.tests}/ ends in .test.ts or .test.js`);
    const outdir = join(project, "build", "test");
    rmSync(outdir, { recursive: true, force: true });
    mkdirSync(outdir, { recursive: true });
    const esbuild = createRequire(join(tools, "package.json"))("esbuild");
    const output = { platform: "node", sourcemap: "inline", outdir, outbase: folder, outExtension: { ".js": ".mjs" } };
    await esbuild.build({ ...bundling(sdk), entryPoints, ...output });
    const files = readdirSync(outdir).map((file) => join(outdir, file));
    return (
        spawnSync(process.execPath, ["--enable-source-maps", "--test", ...positionals, ...files], { cwd: project, stdio: "inherit" })
            .status ?? 1
    );
}
