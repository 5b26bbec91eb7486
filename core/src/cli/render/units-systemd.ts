/** A job that systemd is to start. */
export interface Nightly {
  name: string;
  /** systemd.time(7), OnCalendar=. */
  calendar: string;
  /** The command line to run, word by word. */
  command: readonly string[];
  /** holdstill itself, for what comes before. */
  program: readonly string[];
  config: string | null;
}

/** The service and the timer, by their file names. */
export function unitFiles({ name, calendar, command, program, config }: Nightly): Record<string, string> {
  const own = config === null ? [] : ["--config", config];
  return {
    [`holdstill-${name}.service`]: `[Unit]
Description=holdstill: ${name.replaceAll("%", "%%")}
Documentation=man:holdstill(8)

[Service]
Type=oneshot
# What a run that was killed has left is removed first.
ExecStartPre=-${commandLine([...program, "recover", "--yes", "--quiet", ...own])}
ExecStart=${commandLine(command)}
# Only holdstill is told to stop: it tells the command, waits for it, and removes the set.
KillMode=mixed
TimeoutStopSec=10min
`,
    [`holdstill-${name}.timer`]: `[Unit]
Description=holdstill: ${name.replaceAll("%", "%%")}

[Timer]
OnCalendar=${calendar}
# A night that was slept through is made up for.
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
