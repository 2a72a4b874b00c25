// Write a Bellwether plugin in JavaScript or TypeScript: what a plugin's source imports as `bellwether`.
//
// A plugin is one definition, made by the function of its kind and exported by default from `src/plugin.ts`. Rules that make
// it cheap to run and safe to throw away: functions are pure over their arguments, state goes out as bytes and comes back in
// (`Writer`, `Reader`), a mistake is a `PluginError` with a message for a person.

export * as clock from "./clock.js";
export type * from "./contract.js";
export { Column, Frame } from "./data/frame.js";
export { Chunk, Windows } from "./data/windows.js";
export * as deploy from "./deploy.js";
export { type ErrorCode, internal, invalidConfig, invalidInput, other, PluginError, transient, unsupported } from "./errors.js";
export * as http from "./http/client.js";
export * as log from "./log.js";
export * from "./model/plan.js";
export { checkFeatures, type RowShape, readTargets, rowNames, rows, taskOf } from "./model/rows.js";
export { defaultTraining, NetworkBuilder, type Node } from "./network/builder.js";
export type * as nn from "./network/contract.js";
export * from "./network/training.js";
export {
    type AlertHandler,
    alertHandler,
    type DeploymentStrategy,
    type DriftDetector,
    type DriftTest,
    deploymentStrategy,
    driftDetector,
    driftTest,
    type Estimator,
    guestModel,
    type ModelType,
    model,
    multivariate,
    type Plugin,
    univariate,
} from "./plugin.js";
export * as progress from "./progress.js";
export * as random from "./random.js";
export { type ConfigOf, NO_SETTINGS, type Property, type Schema } from "./schema.js";
export * as secrets from "./secrets.js";
export { Reader, Writer } from "./state.js";
export * as stats from "./stats.js";
export { cut, decodeUtf8, decodeUtf8Lossy, encodeUtf8 } from "./text.js";
