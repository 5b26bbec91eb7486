import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { hasControlCharacters } from "../../base/display/visible.js";
import { HoldstillError } from "../../base/errors/error.js";
import { exit } from "../../base/errors/exit.js";
import { ownProgram } from "../../installation.js";
import { calendarProblem } from "../../os/exec/calendar.js";
import { absoluteTarget, parseTarget } from "../../plan/targets.js";
import { command, type Facades } from "../parse/command.js";
import { planOptions } from "../parse/request.js";
import { isConfirmed } from "../terminal/confirm.js";
import { UsageError } from "../parse/usage-error.js";
import { print, printDocument } from "../terminal/output.js";
import { unitFiles } from "../render/units-systemd.js";
import { yesOption } from "./parts/yes.js";

export const schedule = command({
  about:
    "Makes a systemd service that runs `holdstill run TARGET… --name NAME -- COMMAND`, and a timer that starts it. Without --write it prints them. The service reads the variables of COMMAND, such as RESTIC_REPOSITORY, from a file. The journal has the log: journalctl -u holdstill-NAME.",
  operands: [{ name: "NAME" }, { name: "TARGET", repeat: "at-least-once" }],
  trailing: "COMMAND",
  options: {
    on: {
      type: "text",
      value: "CALENDAR",
      required: true,
      about: "when it runs, in the format of systemd.time(7): daily, '*-*-* 02:30'",
    },
    ...planOptions,
    keep: { type: "flag", about: "keep the set, whatever COMMAND returns" },
    environment: {
      type: "text",
      value: "FILE",
      about: "the file with the variables of COMMAND; default: /etc/holdstill/NAME.env",
    },
    "on-failure": { type: "text", value: "UNIT", about: "a unit that is started if the run fails" },
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
      operands: [name = "", ...named],
      trailing,
      values,
    } = call;
    const { on: calendar, write, yes, keep, require, "include-root": includeRoot, "on-failure": onFailure } = values;
    if (!/^[a-z0-9][a-z0-9._-]*$/i.test(name))
      throw new UsageError(`\`${name}\` is not a valid unit name.`, "Use letters, digits, `.`, `_`, and `-`.");
    for (const [option, value = ""] of [["--on", calendar] as const, ["--environment", values.environment] as const])
      if (hasControlCharacters(value))
        throw new UsageError(`${option} has a control character in it.`, "Write it in one line.");
    if (onFailure !== undefined && !/^[\w:.@\\%-]+\.\w+$/.test(onFailure))
      throw new UsageError(`\`${onFailure}\` is not a valid unit name.`, "Write --on-failure=backup-failed.service.");
    const problem = calendarProblem(calendar);
    if (problem !== null)
      throw new UsageError(
        `--on: \`${calendar}\` is not a calendar event: ${problem}`,
        "systemd.time(7) has the format. To try one, run `systemd-analyze calendar`.",
      );
    const engine = await call.open("workers");
    const targets = await checkedTargets(named, engine);
    const configFile = unitConfig(engine.settings.file);
    const program = ownProgram();
    const options = [
      ...(configFile === null ? [] : ["--config", configFile]),
      ...(require === undefined ? [] : ["--require", require]),
      ...(includeRoot ? ["--include-root"] : []),
      ...(keep ? ["--keep"] : []),
    ];
    const environmentFile = path.resolve(values.environment ?? `/etc/holdstill/${name}.env`);
    const files = unitFiles({
      name,
      calendar,
      program,
      config: configFile,
      command: [...program, "run", ...targets, "--name", name, ...options, "--", ...trailing],
      environmentFile,
      onFailure: onFailure ?? null,
      env: process.env,
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
    for (const [file, text] of planned) writeUnit(file, text);
    if (call.form === "json") printDocument("schedule", { files });
    else if (!call.quiet)
      print([
        `If the command needs variables, such as RESTIC_REPOSITORY, write them to ${environmentFile}, mode 0600.`,
        `To start it, run: systemctl daemon-reload && systemctl enable --now holdstill-${name}.timer`,
      ]);
    return 0;
  },
});

/** The config to name in the unit: the service has another working directory, home, and environment. null: it finds the same one. */
const unitConfig = (file: string | null): string | null =>
  file === null || path.dirname(file) === "/etc/holdstill" ? null : file;

function writeUnit(file: string, text: string): void {
  try {
    writeFileSync(file, text, { mode: 0o644, flag: "wx" });
  } catch (error) {
    throw new UsageError(
      `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      "Name an existing folder with --write that you can write to.",
    );
  }
}

/** As the service needs them, whose working directory is another one. @throws HoldstillError E_TARGET_* */
async function checkedTargets(named: readonly string[], engine: Facades["workers"]): Promise<string[]> {
  const { plugins } = await engine.plugins();
  const writers = plugins.flatMap(({ who }) => (who.role === "writer" ? [who.instance] : []));
  return named.map((asked) => {
    const target = parseTarget(asked, writers);
    if (target.is === "writer") return asked;
    if (!existsSync(target.path))
      throw new HoldstillError("E_TARGET_UNREADABLE", { target: asked, reason: "it does not exist" });
    return absoluteTarget(asked);
  });
}
