import type { Command, OptionGroup } from "./command.js";
import { inWords } from "../../base/display/in-words.js";
import { UsageError } from "./usage-error.js";

interface Given {
  operands: readonly string[];
  trailing: readonly string[];
  values: Readonly<Record<string, boolean | string | readonly string[] | undefined>>;
}

/** Whether everything is there that the command requires, and nothing more. @throws UsageError */
export function checkUsage(name: string, command: Command, { operands, trailing, values }: Given): void {
  const hint = `\`holdstill ${name} --help\` shows the usage.`;
  const missing = command.operands.find(({ repeat }, at) => repeat !== "any-number" && operands[at] === undefined);
  if (missing !== undefined) throw new UsageError(`\`${name}\` requires the argument ${missing.name}.`, hint);
  const repeats = command.operands.at(-1)?.repeat !== undefined;
  const extra = repeats ? undefined : operands[command.operands.length];
  if (extra !== undefined) throw new UsageError(`\`${name}\` does not take the argument \`${extra}\`.`, hint);
  if (command.trailing !== undefined && trailing.length === 0)
    throw new UsageError(`\`${name}\` requires a ${command.trailing} after \`--\`.`, hint);
  const absent = Object.entries(command.options).find(
    ([option, { required }]) => required === true && !given(values[option]),
  );
  if (absent !== undefined) throw new UsageError(`\`${name}\` requires the option --${absent[0]}.`, hint);
  for (const group of command.groups ?? []) checkGroup(name, group, values, hint);
}

function checkGroup(name: string, { need, options }: OptionGroup, values: Given["values"], hint: string): void {
  const count = options.filter((option) => given(values[option])).length;
  const names = options.map((option) => `--${option}`);
  if (need !== "at-least-one" && count > 1)
    throw new UsageError(`\`${name}\` takes only one of ${inWords(names, "and")}.`, hint);
  if (need !== "at-most-one" && count === 0) throw new UsageError(`\`${name}\` requires ${inWords(names)}.`, hint);
}

const given = (value: Given["values"][string]): boolean =>
  Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
