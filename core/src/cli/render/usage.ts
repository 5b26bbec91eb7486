import type { Command, Operand, Option } from "../parse/command.js";

/** `create TARGET… [--require LEVEL] …`, from the table of commands. No-break spaces are where a line must not be broken. */
export function usageOf(name: string, command: Command): string {
  const { operands, options, groups = [], trailing } = command;
  const grouped = new Set(groups.flatMap((group) => group.options));
  const alone = Object.entries(options).filter(([option]) => !grouped.has(option));
  const required = alone.filter(([, option]) => option.required === true);
  const optional = alone.filter(([, option]) => option.required !== true);
  const parts = [
    unbroken(name),
    ...operands.map((operand) => operandUsage(operand)),
    ...required.map(([option, about]) => unbroken(optionUsage(option, about))),
    ...groups.map(({ need, options: names }) => {
      const forms = names.flatMap((option) =>
        options[option] === undefined ? [] : optionUsage(option, options[option]),
      );
      const text = forms.map((form) => unbroken(form)).join(`${noBreak}| `);
      return need === "at-most-one" ? `[${text}]` : `{${text}}${need === "at-least-one" ? "…" : ""}`;
    }),
    ...optional.map(([option, about]) =>
      unbroken(`[${optionUsage(option, about)}]${about.type === "list" ? "…" : ""}`),
    ),
    ...(trailing === undefined ? [] : [unbroken(`-- ${trailing} [ARGUMENT]…`)]),
  ];
  return parts.join(" ");
}

export const noBreak = "\u00A0";
const unbroken = (text: string): string => text.replaceAll(" ", noBreak);

function operandUsage({ name, repeat }: Operand): string {
  if (repeat === undefined) return name;
  return repeat === "at-least-once" ? `${name}…` : `[${name}…]`;
}

/** `--name NAME` */
export function optionUsage(name: string, { type, value, choices = [] }: Option): string {
  return type === "flag" ? `--${name}` : `--${name} ${value ?? choices.join("|")}`;
}
