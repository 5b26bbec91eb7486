import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

/**
 * Copies a file or a directory as it is: owners, modes, times, links, holes, extended attributes; shares extents if possible. The
 * copying ends with this process, however this process ends.
 *
 * @throws Error with the message of cp, or the reason of the signal.
 */
export async function copyTree(from: string, to: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const cp = ["cp", "--archive", "--reflink=auto", "--no-target-directory", "--", from, to];
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", ...cp], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, LC_ALL: "C" },
  });
  const stop = (): void => void child.kill("SIGKILL");
  signal.addEventListener("abort", stop, { once: true });
  try {
    const [, stderr] = await Promise.all([once(child, "exit"), text(child.stderr)]);
    signal.throwIfAborted();
    const { exitCode, signalCode } = child;
    const ended = signalCode === null ? `with exit code ${exitCode}` : `by ${signalCode}`;
    if (exitCode !== 0) throw new Error(stderr.trim().split("\n")[0] || `cp ended ${ended}`);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
