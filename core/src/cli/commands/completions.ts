import { command, common, type Command, type CommandEntry } from "../parse/command.js";
import { UsageError } from "../parse/usage-error.js";
import { print, printDocument, textOf } from "../terminal/output.js";
import { completionLines, type Known } from "../render/completions.js";

export const completions = command({
  usage: "bash|zsh|fish",
  about: "Prints what the shell needs to complete holdstill's commands, options and sets.",
  operands: { name: "SHELL", min: 1, max: 1 },
  options: {},
  examples: [
    { line: "holdstill completions bash", does: "to be kept as /etc/bash_completion.d/holdstill" },
    { line: "holdstill completions fish", does: "to be kept as ~/.config/fish/completions/holdstill.fish" },
  ],
  async run({ operands: [shell = ""], form, table }) {
    const known = await Promise.all(table.map(async (entry) => knownOf(entry, await entry.load())));
    if (shell !== "bash" && shell !== "zsh" && shell !== "fish") {
      const shells = ["bash", "zsh", "fish"];
      throw new UsageError(`There are no completions for \`${shell}\`.`, "Name bash, zsh or fish.", {
        word: shell,
        known: shells,
      });
    }
    const lines = completionLines(shell, known);
    if (form === "json") printDocument("completions", { text: textOf(lines) });
    else print(lines);
    return 0;
  },
});

function knownOf({ name, summary }: CommandEntry, { options, operands }: Command): Known {
  const all = { ...options, ...common };
  const flags = Object.entries(all).map(([option, { type, about }]) => ({
    option,
    about,
    takesValue: type !== "flag",
  }));
  return { name, summary, flags, operands: operands.name.startsWith("SET") ? "sets" : "files" };
}
