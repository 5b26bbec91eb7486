import { readdirSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { parseEvent, type LabEvent } from "./events.js";
import type { Kernel } from "./kernels.js";
import { startMachine } from "./machine.js";

export interface GuestLimits {
  /** The longest that the process of one test file may run, s. */
  readonly fileSeconds: number;
  /** A guest that tells nothing for this long hangs, s. More than fileSeconds, which the guest itself sees to. */
  readonly silenceSeconds: number;
}

/** A busy machine may take ten times as long as an idle one. */
const defaults: GuestLimits = { fileSeconds: 600, silenceSeconds: 630 };

/** The guest did not come to its end; the message has the last lines of its console. */
export class GuestFailed extends Error {
  override readonly name = "GuestFailed";
}

/** The guest's kernel itself failed, which no test can help: another boot may do. */
export class KernelFailed extends GuestFailed {}

/** glibc's last words in a process whose kernel answers a futex call wrongly: seen once on user-mode Linux 6.1, with a guest that then hung. */
const futexFailed = "The futex facility returned an unexpected error code";

/** Parts of the names of provider-lvm's tests. */
export const lvmTests: readonly string[] = ["provider-lvm", "providers-together"];

/** …and of those in which kernels differ: freezing may be nested from 6.8 on; the rest is what both providers and the keeper ask of any. */
export const kernelTests: readonly string[] = [
  "kernel.lab",
  "dm.lab",
  "keeper.lab",
  "lvm.lab",
  "provider-dmsnap.lab",
  "provider-dmsnap-instant",
];

/** The compiled lab tests, or those whose file name has one of `parts` in it. */
export function labTests(parts: readonly string[] = []): string[] {
  const folder = path.join(import.meta.dirname, "tests");
  return readdirSync(folder)
    .filter((file) => file.endsWith(".lab.js"))
    .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
    .toSorted()
    .map((file) => path.join(folder, file));
}

/**
 * Boots a kernel, runs test files in it and gives what it tells, while it does. When the loop over it ends, for whatever reason,
 * no process and no file of the guest is left, but for disks in a folder that is given. `variables`: of its environment. Fails with GuestFailed.
 */
export async function* runInGuest(
  kernel: Kernel,
  files: readonly string[],
  limits: GuestLimits = defaults,
  diskFolder?: string,
  variables: Readonly<Record<string, string>> = {},
): AsyncGenerator<LabEvent, void> {
  const machine = startMachine(
    kernel,
    {
      LAB_MODE: "tests",
      LAB_KERNEL: kernel.name,
      LAB_FILES: files.join("\n"),
      LAB_FILE_LIMIT: `${limits.fileSeconds}`,
      CI: process.env["CI"] ?? "",
      ...(process.env["HOLDSTILL_ROUNDS"] !== undefined && { HOLDSTILL_ROUNDS: process.env["HOLDSTILL_ROUNDS"] }),
      ...variables,
    },
    ["con0=null,fd:1", "ssl0=null,fd:3"],
    ["ignore", "pipe", "pipe", "pipe"],
    diskFolder,
  );
  const tail = new ConsoleTail();
  let problem = "the guest ended early";
  let Failed = GuestFailed;
  const hear = (text: Buffer): void => {
    tail.add(text);
    if (!tail.text().includes(futexFailed)) return;
    problem = "the guest's kernel failed";
    Failed = KernelFailed;
    void machine.stop();
  };
  machine.process.stdout?.on("data", hear);
  machine.process.stderr?.on("data", hear);
  machine.process.once("error", (error) => (problem = error.message));
  const watch = setTimeout(() => {
    problem = `the guest told nothing for ${limits.silenceSeconds} s and was killed`;
    void machine.stop();
  }, limits.silenceSeconds * 1000);
  try {
    for await (const line of createInterface({ input: machine.process.stdio[3] as Readable })) {
      watch.refresh();
      const event = parseEvent(line);
      if (event === undefined) throw new GuestFailed(`the guest told what is not an event: ${line}`);
      yield event;
      if (event.event === "done") return await machine.off();
    }
    throw new Failed(`${problem}; the end of its console:\n${tail.text()}`);
  } finally {
    clearTimeout(watch);
    await machine.stop();
  }
}

/** The last lines of a console. */
class ConsoleTail {
  #text = "";

  add(text: Buffer): void {
    this.#text = (this.#text + text.toString()).slice(-100_000);
  }

  text(): string {
    return this.#text.replaceAll("\r", "").trimEnd().split("\n").slice(-60).join("\n");
  }
}
