// TypeScript to one JavaScript file: types are checked by tsc, files are joined by esbuild. `bellwether` and
// `bellwether/testing` mean the SDK wherever it lies.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Checks the types of one configuration. Errors are tsc's own, on standard error. */
export function checkTypes(tools, config) {
    const compiler = join(tools, "node_modules", "typescript", "bin", "tsc");
    const roots = join(tools, "node_modules", "@types");
    const { status } = spawnSync(process.execPath, [compiler, "-p", config, "--typeRoots", roots], { stdio: ["ignore", 2, 2] });
    if (status !== 0) throw new Error(`types: tsc found mistakes, see above (${config})`);
}

/** Options of esbuild every bundle shares. */
export function bundling(sdk) {
    return {
        bundle: true,
        format: "esm",
        target: "es2022",
        charset: "utf8",
        legalComments: "none",
        logLevel: "warning",
        external: ["bellwether:*", "wasi:*", "wasj:*"],
        alias: { "bellwether/testing": join(sdk, "testing.ts"), bellwether: join(sdk, "index.ts") },
    };
}

/** The entry file of a project: the first of `src/plugin.ts` and `src/plugin.js` there is. */
export function entryOf(project) {
    const names = ["src/plugin.ts", "src/plugin.js"];
    const found = names.find((name) => existsSync(join(project, name)));
    if (found === undefined) throw new Error(`neither ${names.join(" nor ")} is there`);
    return join(project, found);
}
