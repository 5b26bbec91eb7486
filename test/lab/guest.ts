import { readdirSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { parseEvent, type LabEvent } from "./events.js";
import type { Kernel } from "./kernels.js";
import { type GuestLimits, limitsOf } from "./limits.js";
import { wholeMatrix } from "../support/whole-matrix.js";
import { startMachine } from "./machine.js";

/** The guest did not come to its end; the message has the last lines of its console. */
export class GuestFailed extends Error {
  override readonly name: string = "GuestFailed";
}

/**
 * The guest's kernel itself failed, which no test can help: another boot may do. It hangs, when not even the process that ends a
 * test file at its limit tells anything; it dies, when the kernel's process ends or its console tells of a panic.
 */
export class KernelFailed extends GuestFailed {
  override readonly name = "KernelFailed";
  readonly how: "hangs" | "dies";

  constructor(how: "hangs" | "dies", message: string) {
    super(message);
    this.how = how;
  }
}

/** What the console of a guest says whose kernel is lost. */
const lastWords = "Kernel panic - not syncing";

/** From the start of a guest to its first process of ours, and from its last one to its end, s. */
const bootSeconds = 120;

/** Whether a file has tests of provider-lvm, which are about half of all. */
export const isLvmTest = (file: string): boolean => /provider-lvm|providers-together/.test(path.basename(file));

/** …and of those in which kernels differ: freezing may be nested from 6.8 on; the rest is what the keeper asks of any. */
export const kernelTests: readonly string[] = ["kernel.lab", "dm.lab", "keeper.lab"];

/** Long ones, of which a shorter one tries the same code: they run with HOLDSTILL_LAB=1, and by their names. */
const thorough: readonly string[] = [
  "clock",
  "mysql",
  "postgres",
  "provider-dmsnap-adopt",
  "provider-dmsnap-foreign",
  "provider-dmsnap-raw",
  "provider-dmsnap-revert",
  "provider-dmsnap-stores",
  "provider-lvm-config",
  "provider-lvm-foreign",
  "provider-lvm-full",
  "provider-lvm-raw-revert",
  "provider-lvm-raw-together",
  "provider-lvm-revert",
  "provider-lvm-stacks",
  "provider-lvm-steps",
  "provider-lvm-watch",
  "providers-together",
  "servers",
  "session",
  "suspended",
  "udev",
].map((name) => `${name}.lab.js`);

/**
 * The compiled lab tests, or those whose file name has one of `parts` in it. The rows of the matrix take a quarter of an hour, and
 * are run by their names, as `npm run matrix` does.
 */
export function labTests(parts: readonly string[] = []): string[] {
  const folder = path.join(import.meta.dirname, "tests");
  return readdirSync(folder)
    .filter((file) => file.endsWith(".lab.js"))
    .filter((file) => parts.length > 0 || wholeMatrix || !file.startsWith("matrix-"))
    .filter((file) => parts.length > 0 || process.env["HOLDSTILL_LAB"] === "1" || !thorough.includes(file))
    .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
    .toSorted()
    .map((file) => path.join(folder, file));
}

/** A variable of this process, if it is set, for the guest as well. */
function handedOn(name: string): Record<string, string> {
  const value = process.env[name];
  return value === undefined ? {} : { [name]: value };
}

/**
 * Boots a kernel, runs test files in it and gives what it tells, while it does. When the loop over it ends, for whatever reason,
 * no process and no file of the guest is left, but for disks in a folder that is given. `limits`: of every file, instead of its
 * usual ones. `variables`: of its environment. Fails with GuestFailed.
 */
export async function* runInGuest(
  kernel: Kernel,
  files: readonly string[],
  limits?: GuestLimits,
  diskFolder?: string,
  variables: Readonly<Record<string, string>> = {},
): AsyncGenerator<LabEvent, void> {
  const limitsOfFiles = files.map((file) => limits ?? limitsOf(kernel, file));
  const machine = startMachine(
    kernel,
    {
      LAB_MODE: "tests",
      LAB_KERNEL: kernel.name,
      LAB_FILES: files.join("\n"),
      LAB_FILE_LIMITS: limitsOfFiles.map(({ fileSeconds }) => fileSeconds).join("\n"),
      CI: process.env["CI"] ?? "",
      ...handedOn("HOLDSTILL_ROUNDS"),
      ...handedOn("HOLDSTILL_MATRIX"),
      ...variables,
    },
    ["con0=null,fd:1", "ssl0=null,fd:3"],
    ["ignore", "pipe", "pipe", "pipe"],
    diskFolder,
  );
  const tail = new ConsoleTail();
  const failure: { how: KernelFailed["how"] | "does not start"; what: string } = {
    how: "dies",
    what: "the guest ended early",
  };
  const hear = (text: Buffer): void => {
    tail.add(text);
    if (!tail.text().includes(lastWords)) return;
    failure.what = "the guest's kernel failed";
    void machine.stop();
  };
  machine.process.stdout?.on("data", hear);
  machine.process.stderr?.on("data", hear);
  machine.process.once("error", ({ message }) => {
    failure.what = message;
    failure.how = "does not start";
  });
  let watch: NodeJS.Timeout | undefined;
  const expectWithin = (seconds: number): void => {
    clearTimeout(watch);
    watch = setTimeout(() => {
      const processes = machine.processes().join("\n");
      failure.what = `the guest told nothing for ${seconds} s and was killed; its processes were:\n${processes}\n`;
      failure.how = "hangs";
      void machine.stop();
    }, seconds * 1000);
  };
  expectWithin(bootSeconds);
  let ended = 0;
  try {
    for await (const line of createInterface({ input: machine.process.stdio[3] as Readable })) {
      const event = parseEvent(line);
      if (event === undefined) throw new GuestFailed(`the guest told what is not an event: ${line}`);
      if (event.event === "ended") ended += 1;
      expectWithin(limitsOfFiles[ended]?.silenceSeconds ?? bootSeconds);
      yield event;
      if (event.event === "done") return await machine.off();
    }
    const message = `${failure.what}; the end of its console:\n${tail.text()}`;
    throw failure.how === "does not start" ? new GuestFailed(message) : new KernelFailed(failure.how, message);
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
