import { command, common, type Command, type CommandEntry } from "../parse/command.js";
import { UsageError } from "../parse/usage-error.js";
import { type CompletedCommand, completionLines } from "../render/completions.js";
import { print, printDocument, textOf } from "../terminal/output.js";

const shells = ["bash", "zsh", "fish"] as const;

export const completions = command({
  about: "Prints the script with which the shell completes the commands, options, and sets of holdstill.",
  operands: [{ name: shells.join("|") }],
  options: {},
  examples: [
    { line: "holdstill completions bash", does: "save it as /etc/bash_completion.d/holdstill" },
    { line: "holdstill completions fish", does: "save it as ~/.config/fish/completions/holdstill.fish" },
  ],
  async run({ operands: [asked = ""], form, table }) {
    const shell = shells.find((one) => one === asked);
    if (shell === undefined)
      throw new UsageError(`Completions for \`${asked}\` are not available.`, "Choose bash, zsh, or fish.", {
        word: asked,
        known: shells,
      });
    const commands = await Promise.all(table.map(async (entry) => completedCommand(entry, await entry.load())));
    const lines = completionLines(shell, commands);
    if (form === "json") printDocument("completions", { text: textOf(lines) });
    else print(lines);
    return 0;
  },
});

function completedCommand({ name, summary }: CommandEntry, { options, operands }: Command): CompletedCommand {
  const all = { ...options, ...common };
  const flags = Object.entries(all).map(([option, { type, about }]) => ({
    option,
    about,
    takesValue: type !== "flag",
  }));
  return { name, summary, flags, operands: operands[0]?.name === "SET" ? "sets" : "files" };
}
