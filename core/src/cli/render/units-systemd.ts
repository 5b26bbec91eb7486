import path from "node:path";

/** A job that systemd starts. */
export interface ScheduledRun {
  name: string;
  /** systemd.time(7), OnCalendar=. */
  calendar: string;
  /** The command line to run, as words. */
  command: readonly string[];
  /** holdstill itself, as words. */
  program: readonly string[];
  config: string | null;
  /** The file with the variables of the command, such as RESTIC_REPOSITORY. It need not exist. */
  environmentFile: string;
  /** The unit that systemd starts if the run fails; null: none. */
  onFailure: string | null;
  /** Of this process. */
  env: NodeJS.ProcessEnv;
}

const PLACES = ["HOLDSTILL_STATE_DIR", "HOLDSTILL_EXPOSE_DIR", "HOLDSTILL_SOCKET", "HOLDSTILL_PLUGIN_PATH"];

/** A line for each variable that replaces a path of the config here: a unit without it would use other sets. */
export function placesLines(env: NodeJS.ProcessEnv): string {
  return PLACES.flatMap((name) => {
    const value = env[name] ?? "";
    if (value === "") return [];
    const paths = value.split(":").filter((one) => one !== "");
    const absolute =
      name === "HOLDSTILL_PLUGIN_PATH" ? paths.map((one) => path.resolve(one)).join(":") : path.resolve(value);
    return [`Environment=${quoted(`${name}=${absolute}`).replaceAll("$$", () => "$")}\n`];
  }).join("");
}

/** The service and the timer, by their file names. */
export function unitFiles({ name, calendar, command, program, config, ...more }: ScheduledRun): Record<string, string> {
  const own = config === null ? [] : ["--config", config];
  const onFailure = more.onFailure === null ? "" : `OnFailure=${more.onFailure}\n`;
  return {
    [`holdstill-${name}.service`]: `[Unit]
Description=holdstill: ${name.replaceAll("%", "%%")}
Documentation=man:holdstill(8)
${onFailure}
[Service]
Type=oneshot
# Gives the command a HOME, where restic and borg have their caches.
User=root
SyslogIdentifier=holdstill-${name}
${placesLines(more.env)}# The variables of the command: RESTIC_REPOSITORY=… and so on, a line each. Only root may read it: mode 0600.
EnvironmentFile=-${more.environmentFile.replaceAll("%", "%%")}
# Removes what a killed run left.
ExecStartPre=-${commandLine([...program, "recover", "--yes", "--quiet", ...own])}
ExecStart=${commandLine(command)}
# Only holdstill gets the signal: it stops the command, waits for it, and removes the set.
KillMode=mixed
TimeoutStopSec=10min
`,
    [`holdstill-${name}.timer`]: `[Unit]
Description=holdstill: ${name.replaceAll("%", "%%")}

[Timer]
OnCalendar=${calendar}
# Makes up for a run at which the machine was off.
Persistent=true

[Install]
WantedBy=timers.target
`,
  };
}

/** systemd.service(5), "Command lines": words in double quotes, and % and $ doubled. */
export function commandLine(words: readonly string[]): string {
  return words.map((word) => (/^[\w@/:.,=+-]+$/.test(word) ? word : quoted(word))).join(" ");
}

const quoted = (word: string): string =>
  `"${word
    .replaceAll("\\", String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll("%", "%%")
    .replaceAll("$", "$$$$")
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    .replaceAll(/[\u0000-\u001f\u007f]/g, escaped)}"`;

/** A line end would end the setting; systemd.syntax(7) has the escapes of C. */
const escaped = (character: string): string =>
  String.raw`\x` + (character.codePointAt(0) ?? 0).toString(16).padStart(2, "0");
