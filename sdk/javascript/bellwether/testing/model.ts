// For tests of model types: what they plan, and whether what they offer to tune can be set.

import type { Json, Task, TrainingPlan } from "../contract.js";
import type { Network, NetworkNode, Operation } from "../network/contract.js";
import type { AnyPlugin } from "../plugin.js";
import { config } from "./schema.js";

type Model = Extract<AnyPlugin, { world: "model" | "guest-model" }>;
type Fields = { [name: string]: Json | undefined };

/** What a model type plans for windows of `steps` × `features`: a return or, for a binary task, a direction one bar ahead. */
export function plan(model: Model, given: Fields, steps: number, features: string[], task: Task = "regression"): TrainingPlan {
    const target = { kind: task === "binary" ? "direction" : "return", horizon: 1, task };
    return model.plan(config(model, given) as never, { sequenceLength: steps, features }, target);
}

/** The same for a model type that plans networks. */
export function network(model: Model, given: Fields, steps: number, features: string[], task: Task = "regression"): Network {
    const found = plan(model, given, steps, features, task);
    if (found.tag !== "network") throw new Error(`a network expected, ${found.tag} found`);
    return found.val;
}

/**
 * A network for people: a line `name <- what it reads` per node but the input, with the width or share that the operation
 * has, as in `dense_1(1) <- dropout_2`.
 */
export function outline(network: Network): string[] {
    const name = (place: number) => (network.nodes[place] as NetworkNode).name;
    return network.nodes
        .filter((node) => node.inputs.length > 0)
        .map((node) => `${node.name}${number(node.operation)} <- ${node.inputs.map(name).join(", ")}`);
}

function number(operation: Operation): string {
    if (!("val" in operation)) return "";
    const { val } = operation;
    if (typeof val !== "object") return `(${val})`;
    if (Array.isArray(val)) return `([${val.join(", ")}])`;
    const { units, filters, heads } = val as { units?: number; filters?: number; heads?: number };
    const size = units ?? filters ?? heads;
    return size === undefined ? "" : `(${size})`;
}

/** Checks that every setting a model type offers to tune exists, and that its bounds and choices are taken, over `required`. */
export function checkSearchSpace(model: Model, required: Fields = {}): void {
    for (const { name, values } of model.searchSpace ?? []) {
        const tried = values.tag === "choice" ? values.val : values.val.slice(0, 2);
        for (const value of tried as Json[]) {
            try {
                config(model, { ...required, [name]: value });
            } catch (error) {
                throw new Error(`\`${name}\` = ${JSON.stringify(value)}, offered for tuning, is refused: ${(error as Error).message}`);
            }
        }
    }
}
