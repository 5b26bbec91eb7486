import { command, common, type Command, type CommandCall, type CommandEntry, type Option } from "../parse/command.js";
import { inWords } from "../../base/display/in-words.js";
import { UsageError } from "../parse/usage-error.js";
import { type CompletedCommand, type CompletedFlag, completionLines } from "../render/completions.js";
import { print, printDocument, textOf } from "../terminal/output.js";

const shells = ["bash", "zsh", "fish"] as const;
const lists = ["sets", "writers"] as const;
const kinds = [...shells, ...lists] as const;

export const completions = command({
  about:
    "Prints the script with which the shell completes the commands, options, sets, and targets of holdstill. The scripts call `completions sets`, which prints ids and names, and `completions writers`, which prints the writers of the config as targets.",
  operands: [{ name: kinds.join("|") }],
  options: {},
  examples: [
    { line: "holdstill completions bash", does: "save it as /etc/bash_completion.d/holdstill" },
    { line: "holdstill completions fish", does: "save it as ~/.config/fish/completions/holdstill.fish" },
  ],
  async run(call) {
    const [asked = ""] = call.operands;
    const kind = kinds.find((one) => one === asked);
    if (kind === undefined)
      throw new UsageError(`Completions for \`${asked}\` are not available.`, `Choose ${inWords(kinds)}.`, {
        word: asked,
        known: kinds,
      });
    const lines = await linesOf(kind, call);
    if (call.form === "json") printDocument("completions", { text: textOf(lines) });
    else print(lines);
    return 0;
  },
});

async function linesOf(kind: (typeof kinds)[number], { table, open, connect }: CommandCall): Promise<string[]> {
  switch (kind) {
    case "sets": {
      const { sets } = await (await connect("catalog")).list();
      const names = sets.flatMap(({ name }) => (name === undefined || /\s/.test(name) ? [] : [name]));
      return [...new Set(["latest", ...names, ...sets.map(({ id }) => id)])];
    }
    case "writers": {
      const { plugins } = await (await open("workers")).plugins();
      return plugins.flatMap(({ who }) => (who.role === "writer" ? [`writer:${who.instance}`] : []));
    }
    default:
      return completionLines(
        kind,
        await Promise.all(table.map(async (entry) => completedCommand(entry, await entry.load()))),
      );
  }
}

function completedCommand({ name, summary }: CommandEntry, { options, operands }: Command): CompletedCommand {
  const all = { ...options, ...common };
  const flags = Object.entries<Option>(all).map(([option, { about, ...rest }]) => ({
    option,
    about,
    value: valueOf(rest),
  }));
  const kind = operands.some((one) => one.name === "TARGET") ? "targets" : "files";
  return { name, summary, flags, operands: operands[0]?.name === "SET" ? "sets" : kind };
}

function valueOf({ type, value, choices }: Omit<Option, "about">): CompletedFlag["value"] {
  if (type === "flag") return "none";
  return choices ?? (value === "FILE" || value === "DIR" || value === "FOLDER" ? "file" : "any");
}
