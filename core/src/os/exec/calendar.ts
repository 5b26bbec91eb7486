import { spawnSync } from "node:child_process";
import { baseEnvironment } from "../environment.js";
import { installedProgram } from "../path/programs.js";

/** What systemd objects to in a calendar event of systemd.time(7); null: nothing, or systemd-analyze(1) is not installed. */
export function calendarProblem(calendar: string): string | null {
  const program = installedProgram("systemd-analyze");
  if (program === null) return null;
  const { error, status, stderr } = spawnSync(program, ["calendar", "--", calendar], {
    env: { ...baseEnvironment(), LC_ALL: "C" },
    encoding: "utf8",
    timeout: 10_000,
  });
  if (error !== undefined || status === 0 || status === null) return null;
  return stderr.trim().split("\n").at(0) ?? "";
}
