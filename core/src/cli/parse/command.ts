import type { EngineApi } from "../../engine/api.js";
import type { CatalogEngine } from "../../engine/catalog-engine.js";
import type { CreatingEngine } from "../../engine/creating-engine.js";
import type { Engine } from "../../engine/engine.js";
import type { PlanningEngine } from "../../engine/planning-engine.js";

export interface Option {
  /** text takes a value; list takes one each time that it is given. */
  readonly type: "flag" | "text" | "list";
  /** Name of the value, for the usage line. Default: the choices. */
  readonly value?: string;
  /** The values that are accepted. Default: any. */
  readonly choices?: readonly string[];
  readonly short?: string;
  readonly required?: true;
  readonly about: string;
}
export type Options = Readonly<Record<string, Option>>;

type Text<O extends Option> = O extends { choices: readonly (infer C)[] } ? C : string;
type Value<O extends Option> = O["type"] extends "flag"
  ? boolean
  : O["type"] extends "list"
    ? string[]
    : O extends { required: true }
      ? Text<O>
      : Text<O> | undefined;
export type Values<O extends Options> = { readonly [Name in keyof O]: Value<O[Name]> };

/** Options that exclude each other, or of which one must be given. */
export interface OptionGroup<Name extends string = string> {
  readonly need: "exactly-one" | "at-most-one" | "at-least-one";
  readonly options: readonly Name[];
}

export interface Operand {
  readonly name: string;
  /** Only the last operand may repeat. Default: it is given exactly once. */
  readonly repeat?: "at-least-once" | "any-number";
}

/** text: for people. json: one document on stdout. stream: every event as a line of JSON on stdout. */
export type Form = "text" | "json" | "stream";

/** What a command can need of the engine. Each facade has all of the one before it, and loads more. */
export interface Facades {
  catalog: CatalogEngine;
  plan: PlanningEngine;
  create: CreatingEngine;
  workers: Engine;
}
export type Needs = keyof Facades;

/** A command as it was called. */
export interface CommandCall<O extends Options = Options> {
  readonly name: string;
  readonly values: Values<O>;
  readonly operands: readonly string[];
  /** What follows `--`; empty if the command takes nothing there. */
  readonly trailing: readonly string[];
  readonly form: Form;
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** The file that --config names. */
  readonly config?: string;
  /** Every command there is. */
  readonly table: readonly CommandEntry[];
  /** As `open`, through the service if it is running. */
  readonly connect: <N extends Needs>(needs: N) => Promise<Facades[N] | EngineApi>;
  /**
   * @param needs catalog: only what is on disk. plan: plugins are asked. create: a set is taken. workers: everything.
   * @param logged Whether the log goes to stderr. Default: with --verbose.
   */
  readonly open: <N extends Needs>(needs: N, logged?: boolean) => Promise<Facades[N]>;
}

/** One line of the table of commands: the parser, the usage line, the help, the manual, and the completions come from it. */
export interface Command<O extends Options = Options> {
  readonly about: string;
  readonly operands: readonly Operand[];
  readonly options: O;
  readonly groups?: readonly OptionGroup[];
  /** Takes a program and its arguments after `--`. */
  readonly trailing?: "COMMAND";
  /** Supports --json=stream. */
  readonly streams?: true;
  readonly examples: readonly { readonly line: string; readonly does: string }[];
  /** @returns the exit code of the process: one of ours (ExitCode), or that of a program that was run. */
  run(call: CommandCall<O>): Promise<number>;
}

/** A command by its name. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(this: void): Promise<Command>;
}

/** A command whose `run` gets the values of exactly its own options: the parser reads the same table. */
export function command<const O extends Options>(
  it: Command<O> & { readonly groups?: readonly OptionGroup<keyof O & string>[] },
): Command {
  return it;
}

export const noOperands = [] as const;
export const oneSet = [{ name: "SET" }] as const;

/** The options of every command. */
export const common = {
  json: { type: "flag", about: "print one JSON document on stdout, also for errors" },
  config: { type: "text", value: "FILE", about: "use this config file" },
  quiet: { type: "flag", short: "q", about: "print no progress, and only what a script needs" },
  verbose: { type: "flag", short: "v", about: "print the log on stderr, and the stack of a bug" },
  help: { type: "flag", short: "h", about: "print this help" },
} as const satisfies Options;
