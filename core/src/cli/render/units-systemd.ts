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
}

/** The service and the timer, by their file names. */
export function unitFiles({ name, calendar, command, program, config }: ScheduledRun): Record<string, string> {
  const own = config === null ? [] : ["--config", config];
  return {
    [`holdstill-${name}.service`]: `[Unit]
Description=holdstill: ${name.replaceAll("%", "%%")}
Documentation=man:holdstill(8)

[Service]
Type=oneshot
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
    .replaceAll("$", "$$$$")}"`;
