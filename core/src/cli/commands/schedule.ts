import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { exit } from "../../base/errors/exit.js";
import { command } from "../parse/command.js";
import { isConfirmed } from "../terminal/confirm.js";
import { UsageError } from "../parse/usage-error.js";
import { print, printDocument } from "../terminal/output.js";
import { unitFiles } from "../render/units-systemd.js";

export const schedule = command({
  usage: "NAME TARGET… --on CALENDAR [--write DIR] [--yes] -- COMMAND",
  about:
    "Makes a systemd service that runs `holdstill run TARGET… --name NAME -- COMMAND`, and a timer that starts it. Without --write they are printed. Logs are in the journal: journalctl -u holdstill-NAME.",
  operands: { name: "NAME and a TARGET", min: 2, max: Infinity },
  trailing: "COMMAND",
  options: {
    on: { type: "text", value: "CALENDAR", about: "when, as systemd.time(7) has it: 'daily', '*-*-* 02:30'" },
    write: { type: "text", value: "DIR", about: "into this folder: /etc/systemd/system" },
    yes: { type: "flag", short: "y", about: "do not ask" },
  },
  examples: [
    {
      line: "holdstill schedule nightly writer:pg --on 02:30 -- /usr/local/bin/backup",
      does: "prints both",
    },
    {
      line: "holdstill schedule hourly /srv --on hourly --write /etc/systemd/system -- copy",
      does: "asks, writes",
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
      throw new UsageError(`\`${name}\` cannot be a unit's name.`, "Use letters, digits, . _ and -.");
    if (calendar === undefined)
      throw new UsageError("When shall it run?", "Give --on, for example --on='*-*-* 02:30'.");
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
    const places = Object.entries(files).map(([file, text]) => [path.join(write, file), text] as const);
    const taken = places.find(([file]) => existsSync(file));
    if (taken !== undefined) throw new UsageError(`${taken[0]} is there already.`, "Remove it, or use another NAME.");
    if (
      !(await isConfirmed(
        places.map(([file]) => `write ${file}`),
        yes,
        call,
      ))
    )
      return exit.interrupted;
    for (const [file, text] of places) writeFileSync(file, text, { mode: 0o644 });
    if (call.form === "json") printDocument("schedule", { files });
    else if (!call.quiet)
      print([`Start it: systemctl daemon-reload && systemctl enable --now holdstill-${name}.timer`]);
    return 0;
  },
});
