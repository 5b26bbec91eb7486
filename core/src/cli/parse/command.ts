import type { Engine } from "../../engine/engine.js";
import type { EngineApi } from "../../service/client/door.js";

export interface Option {
  /** text takes a value; list takes one each time that it is given. */
  readonly type: "flag" | "text" | "list";
  /** Name of the value, for the help. */
  readonly value?: string;
  readonly short?: string;
  readonly about: string;
}
export type Options = Readonly<Record<string, Option>>;

type Value<O extends Option> = O["type"] extends "flag"
  ? boolean
  : O["type"] extends "list"
    ? string[]
    : string | undefined;
export type Values<O extends Options> = { readonly [Name in keyof O]: Value<O[Name]> };

/** text: for people. json: one document on stdout. stream: every event as a line of JSON on stdout. */
export type Form = "text" | "json" | "stream";

/** A command as it was called. */
export interface CommandCall<O extends Options = Options> {
  readonly name: string;
  readonly values: Values<O>;
  readonly operands: readonly string[];
  /** What stands after `--`; empty where the command takes nothing there. */
  readonly trailing: readonly string[];
  readonly form: Form;
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** The file that --config names. */
  readonly config?: string;
  /** Every command there is. */
  readonly table: readonly CommandEntry[];
  /** As `open`, by way of the service where one runs. */
  readonly connect: (needs: "workers" | "catalog") => Promise<EngineApi>;
  /**
   * @param needs workers: plugins will be called. catalog: only what is on disk is read.
   * @param logged Whether the log goes to stderr. Default: with --verbose.
   */
  readonly open: (needs: "workers" | "catalog", logged?: boolean) => Promise<Engine>;
}

export interface Command<O extends Options = Options> {
  /** What follows the name. */
  readonly usage: string;
  readonly about: string;
  readonly operands: { readonly name: string; readonly min: number; readonly max: number };
  readonly options: O;
  /** Takes a program and its arguments after `--`. */
  readonly trailing?: "COMMAND";
  /** Knows --json=stream. */
  readonly streams?: true;
  readonly examples: readonly { readonly line: string; readonly does: string }[];
  /** @returns what the process ends with: one of ours (ExitCode), or what a program that was run ended with. */
  run(call: CommandCall<O>): Promise<number>;
}

/** A command by its name. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(this: void): Promise<Command>;
}

/** A command whose `run` gets the values of exactly its own options: the parser reads the same table. */
export function command<const O extends Options>(it: Command<O>): Command {
  return it;
}

export const noOperands = { name: "", min: 0, max: 0 } as const;
export const oneSet = { name: "SET", min: 1, max: 1 } as const;

/** What every command knows. */
export const common = {
  json: { type: "flag", about: "one JSON document on stdout, also for errors" },
  config: { type: "text", value: "FILE", about: "this config file, instead of the one in the usual places" },
  quiet: { type: "flag", short: "q", about: "no progress, and no more output than a script needs" },
  verbose: { type: "flag", short: "v", about: "the log on stderr, and the stack of a bug" },
  help: { type: "flag", short: "h", about: "this text" },
} as const satisfies Options;
