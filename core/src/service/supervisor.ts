import { sendDatagram } from "../os/libc.js";

/** The protocol of systemd for services: sd_notify(3), and sd_listen_fds(3) for a socket that systemd made. */
export interface Supervisor {
  /** The descriptor of a listening socket; null: systemd passed none. */
  readonly socket: number | null;
  ready(status: string): void;
  stopping(): void;
}

/** The first descriptor that systemd passes. */
const firstDescriptor = 3;

const isMe = (pid: string | undefined): boolean => pid === String(process.pid);

/** Reads the variables of systemd and removes them: they are meant for this process only. */
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
      // Half the time, as sd_watchdog_enabled(3) recommends. An event loop that hangs does not send it.
      if (watchdogMs > 0) setInterval(() => notify("WATCHDOG=1"), watchdogMs / 2).unref();
    },
    stopping: () => notify("STOPPING=1"),
  };
}
