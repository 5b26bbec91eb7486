/** The usage line of each command, against the table that the parser reads; and that help, manual, and completions have it. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Command } from "#core/cli/parse/command.js";
import { usageOf } from "#core/cli/render/usage.js";
import { commandTable } from "#core/cli/table.js";
import { holdstill } from "../../../support/process/command-line.js";

const commands = await Promise.all(commandTable.map(async ({ name, load }) => ({ name, command: await load() })));
const plain = (text: string): string => text.replaceAll("\u00A0", " ");
/** Without line breaks. */
const joined = (text: string): string => text.replaceAll(/\s+/g, " ");

test("a usage line has operands, required options, groups, other options, and the command to run, in this order", () => {
  const command: Command = {
    about: "",
    operands: [{ name: "SET" }, { name: "PATH", repeat: "any-number" }],
    options: {
      quick: { type: "flag", about: "" },
      tag: { type: "list", value: "KEY=VALUE", about: "" },
      a: { type: "flag", about: "" },
      b: { type: "text", value: "N", about: "" },
      on: { type: "text", choices: ["day", "night"], required: true, about: "" },
    },
    groups: [{ need: "at-most-one", options: ["a", "b"] }],
    trailing: "COMMAND",
    examples: [],
    run: () => Promise.resolve(0),
  };
  assert.equal(
    plain(usageOf("x", command)),
    "x SET [PATH…] --on day|night [--a | --b N] [--quick] [--tag KEY=VALUE]… -- COMMAND [ARGUMENT]…",
  );
  const needing = (need: "exactly-one" | "at-least-one"): string =>
    plain(usageOf("x", { ...command, operands: [], groups: [{ need, options: ["a", "b"] }] }));
  assert.match(needing("exactly-one"), /^x --on day\|night \{--a \| --b N\} \[/);
  assert.match(needing("at-least-one"), /^x --on day\|night \{--a \| --b N\}… \[/);
});

test("the usage line of each command has exactly the operands and options of the table", () => {
  for (const { name, command } of commands) {
    const { operands, options, trailing } = command;
    const usage = plain(usageOf(name, command));
    assert.ok(usage.startsWith(name), usage);
    const [own = "", program] = usage.slice(name.length).split(" -- ");
    assert.equal(program, trailing === undefined ? undefined : `${trailing} [ARGUMENT]…`, usage);
    const named = [...own.matchAll(/--([a-z-]+)/g)].map(([, option = ""]) => option);
    assert.deepEqual(named.toSorted(), Object.keys(options).toSorted(), usage);
    const words = own.split(/[[{]|--/)[0] ?? "";
    const required = operands.filter(({ repeat }) => repeat !== "any-number");
    assert.deepEqual(
      words.split(" ").filter((word) => word !== ""),
      required.map(({ name: operand, repeat }) => (repeat === undefined ? operand : `${operand}…`)),
      usage,
    );
  }
});

test("--help and the manual print this line, and the completions its options", async () => {
  const manual = joined((await holdstill(["manual"])).stdout.replaceAll("\\-", "-"));
  const fish = (await holdstill(["completions", "fish"])).stdout;
  const bash = (await holdstill(["completions", "bash"])).stdout;
  for (const { name, command } of commands) {
    const usage = plain(usageOf(name, command));
    const help = await holdstill([...name.split(" "), "--help"]);
    assert.ok(joined(help.stdout).includes(`Usage: holdstill ${usage} ${joined(command.about).slice(0, 20)}`), usage);
    assert.ok(manual.includes(`.SS ${usage.replaceAll("…", "...")} `), usage);
    const [words = ""] = bash.split("\n").filter((line) => line.startsWith(`    "${name}")`));
    for (const option of Object.keys(command.options)) {
      assert.ok(words.includes(`--${option} `), `${name} --${option}: ${words}`);
      assert.match(fish, new RegExp(`seen_subcommand_from ${name.split(" ").at(-1)}.*' -l ${option}\\b`), name);
    }
  }
});
