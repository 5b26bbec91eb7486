import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { exit } from "../../base/errors/exit.js";
import { command } from "../parse/command.js";
import { isConfirmed } from "../terminal/confirm.js";
import { UsageError } from "../parse/usage-error.js";
import { print, printDocument } from "../terminal/output.js";
import { unitFiles } from "../render/units-systemd.js";
import { yesOption } from "./parts/yes.js";

export const schedule = command({
  about:
    "Makes a systemd service that runs `holdstill run TARGET… --name NAME -- COMMAND`, and a timer that starts it. Without --write it prints them. The journal has the log: journalctl -u holdstill-NAME.",
  operands: [{ name: "NAME" }, { name: "TARGET", repeat: "at-least-once" }],
  trailing: "COMMAND",
  options: {
    on: {
      type: "text",
      value: "CALENDAR",
      required: true,
      about: "when it runs, in the format of systemd.time(7): daily, '*-*-* 02:30'",
    },
    write: { type: "text", value: "DIR", about: "write the units to this folder: /etc/systemd/system" },
    yes: yesOption,
  },
  examples: [
    {
      line: "holdstill schedule nightly writer:pg --on 02:30 -- /usr/local/bin/backup",
      does: "prints both units",
    },
    {
      line: "holdstill schedule hourly /srv --on hourly --write /etc/systemd/system -- copy",
      does: "asks, and writes them",
    },
  ],
  async run(call) {
    const {
      operands: [name = "", ...targets],
      trailing,
      values,
      config,
    } = call;
    const { on: calendar, write, yes } = values;
    if (!/^[a-z0-9][a-z0-9._-]*$/i.test(name))
      throw new UsageError(`\`${name}\` is not a valid unit name.`, "Use letters, digits, `.`, `_`, and `-`.");
    const program = [process.execPath, path.resolve(process.argv[1] ?? "holdstill")];
    const own = config === undefined ? [] : ["--config", path.resolve(config)];
    const files = unitFiles({
      name,
      calendar,
      program,
      config: config === undefined ? null : path.resolve(config),
      command: [...program, "run", ...targets, "--name", name, ...own, "--", ...trailing],
    });
    if (write === undefined) {
      if (call.form === "json") printDocument("schedule", { files });
      else print(Object.entries(files).flatMap(([file, text]) => [`# ${file}`, ...text.trimEnd().split("\n"), ""]));
      return 0;
    }
    const planned = Object.entries(files).map(([file, text]) => [path.join(write, file), text] as const);
    const taken = planned.find(([file]) => existsSync(file));
    if (taken !== undefined) throw new UsageError(`${taken[0]} already exists.`, "Remove it, or use another NAME.");
    if (
      !(await isConfirmed(
        planned.map(([file]) => `write ${file}`),
        yes,
        call,
      ))
    )
      return exit.interrupted;
    for (const [file, text] of planned) writeFileSync(file, text, { mode: 0o644 });
    if (call.form === "json") printDocument("schedule", { files });
    else if (!call.quiet)
      print([`To start it, run: systemctl daemon-reload && systemctl enable --now holdstill-${name}.timer`]);
    return 0;
  },
});
