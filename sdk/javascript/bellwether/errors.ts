// The errors of the contract as exceptions. A plugin throws one to say why it could not do what it was asked; the message
// is shown to a person. Whatever else is thrown becomes `internal`, so that no mistake ends in a trap.

/** Codes the contract has a name for. Any other text is carried as `other`. */
export type ErrorCode = "invalid-config" | "invalid-input" | "unsupported" | "transient" | "internal";

/** An answer of "no", with the reason. */
export class PluginError extends Error {
    /** What kind of error it is: an `ErrorCode`, or a stable code of the plugin's own such as `http-404`. */
    readonly code: string;

    constructor(code: ErrorCode | (string & {}), message: string) {
        super(message);
        this.name = "PluginError";
        this.code = code;
    }
}

/** The configuration passed the schema and is still wrong, for example two settings that exclude each other. */
export const invalidConfig = (message: string): PluginError => new PluginError("invalid-config", message);

/** The data cannot be used: too few rows, a constant column, a foreign state. */
export const invalidInput = (message: string): PluginError => new PluginError("invalid-input", message);

/** The request is well formed but this plugin does not do it. */
export const unsupported = (message: string): PluginError => new PluginError("unsupported", message);

/** Another try may succeed; the host retries only these, with back-off. */
export const transient = (message: string): PluginError => new PluginError("transient", message);

/** The plugin found itself broken. */
export const internal = (message: string): PluginError => new PluginError("internal", message);

/** A kind of error without a name of its own: a stable code and a message. */
export const other = (code: string, message: string): PluginError => new PluginError(code, message);

/** The contract's `error` as the component hands it out. */
export type ContractError = { tag: ErrorCode; val: string } | { tag: "other"; val: [string, string] };

const NAMED: readonly string[] = ["invalid-config", "invalid-input", "unsupported", "transient", "internal"];

/** What was thrown, as the contract has it. */
export function toContract(thrown: unknown): ContractError {
    if (thrown instanceof PluginError) {
        const message = thrown.message.toWellFormed();
        if (NAMED.includes(thrown.code)) return { tag: thrown.code as ErrorCode, val: message };
        return { tag: "other", val: [thrown.code.toWellFormed(), message] };
    }
    return { tag: "internal", val: describe(thrown).toWellFormed() };
}

/** A line for people about anything that was thrown. */
export function describe(thrown: unknown): string {
    return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : `something that is no Error was thrown: ${String(thrown)}`;
}
