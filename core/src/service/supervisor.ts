import { sendDatagram } from "../os/libc.js";

/** What systemd wants to know of a service: sd_notify(3), and sd_listen_fds(3) for the socket that it may have made. */
export interface Supervisor {
  /** The descriptor of a socket that listens already; null: there is none. */
  readonly socket: number | null;
  ready(status: string): void;
  stopping(): void;
}

/** The first descriptor that systemd hands on. */
const firstDescriptor = 3;

const isMe = (pid: string | undefined): boolean => pid === String(process.pid);

/** Reads, and takes out of the environment, what systemd says there: it is meant for this process alone. */
export function supervisorIn(env: NodeJS.ProcessEnv): Supervisor {
  const { NOTIFY_SOCKET: to, WATCHDOG_USEC: usec, WATCHDOG_PID: watched, LISTEN_PID: heir, LISTEN_FDS: count } = env;
  for (const name of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"])
    delete env[name];
  const notify = (...lines: string[]): void => {
    if (to !== undefined) sendDatagram(to, lines.join("\n"));
  };
  const watchdogMs = usec !== undefined && (watched === undefined || isMe(watched)) ? Number(usec) / 1000 : 0;
  return {
    socket: isMe(heir) && Number(count) >= 1 ? firstDescriptor : null,
    ready(status) {
      notify("READY=1", `STATUS=${status}`);
      // Half the time, as sd_watchdog_enabled(3) recommends: an event loop that hangs does not say it.
      if (watchdogMs > 0) setInterval(() => notify("WATCHDOG=1"), watchdogMs / 2).unref();
    },
    stopping: () => notify("STOPPING=1"),
  };
}
