import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statfsSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import type { HoldTarget } from "../base/schema/types.js";
import type { ArmRequest, ArmTarget } from "./wire.js";

/** statfs(2): a file system in memory. It never waits for a disk, and it ends with the kernel whose holds are recorded there. */
const TMPFS_MAGIC = 0x01021994;

/** Identifies a process even after its number was given to another one. */
interface ProcessIdentity {
  pid: number;
  /** Field 22 of proc_pid_stat(5), in ticks since boot. */
  startTicks: string;
  /** The link of its pid namespace. */
  namespace: string;
}

/** The first line of a register. */
interface Heading {
  version: 1;
  targets: ArmTarget[];
  /** The keeper, and the watchdog that takes over when it is dead. While one of them lives, nothing else may release. */
  keepers: ProcessIdentity[];
}

const OFF = "0".charCodeAt(0);
const ON = "1".charCodeAt(0);

/**
 * What a keeper may hold at this moment, recorded before the kernel is called, in a file that outlives the keeper. A process that takes
 * over releases what is recorded, and nothing else. After the heading comes a byte for expedited grace periods, and one for each target.
 */
export class HoldRegister {
  readonly heading: Readonly<Heading>;
  readonly #file: string;
  readonly #fd: number;
  readonly #marks: Buffer;
  readonly #offset: number;

  private constructor(file: string, fd: number, text: string) {
    const { heading, marks } = parse(text);
    this.#file = file;
    this.#fd = fd;
    this.heading = heading;
    this.#marks = Buffer.from(marks);
    this.#offset = Buffer.byteLength(text) - this.#marks.length;
  }

  /** For a keeper that is this process, before it holds anything. */
  static begin({ register, targets }: Pick<ArmRequest, "register" | "targets">, watchdogPid: number): HoldRegister {
    const namespace = pidNamespace();
    const keepers = [process.pid, watchdogPid].map((pid) => ({ pid, startTicks: startTicks(pid) ?? "", namespace }));
    const heading: Heading = { version: 1, targets, keepers };
    const text = `${JSON.stringify(heading)}\n${"0".repeat(targets.length + 1)}`;
    const fd = openSync(register, "w", 0o600);
    writeSync(fd, text, 0);
    return new HoldRegister(register, fd, text);
  }

  /** Takes over from a dead keeper. `lock` waits for any other process that is taking over. null: the register is gone. */
  static async inherit(file: string, lock: (fd: number) => Promise<void>): Promise<HoldRegister | null> {
    if (!existsSync(file)) return null;
    const fd = openSync(file, "r+");
    await lock(fd);
    return new HoldRegister(file, fd, readFileSync(fd, "utf8"));
  }

  /** The keeper may have left the kernel's grace periods expedited. */
  get isExpedited(): boolean {
    return this.#marks[0] === ON;
  }

  /** `index`: of the target in the heading. */
  mayHold(index: number): boolean {
    return this.#marks[index + 1] === ON;
  }

  markExpedited(isOn: boolean): void {
    this.#mark(0, isOn);
    this.#write();
  }

  /** The kernel is about to be asked to hold these targets. */
  markAsked(indexes: readonly number[]): void {
    for (const index of indexes) this.#mark(index + 1, true);
    this.#write();
  }

  /** The target was not held after all, or is released. */
  markFree(index: number): void {
    this.#mark(index + 1, false);
    this.#write();
  }

  /** If something is still held, the file stays for `recover`. */
  end(): void {
    closeSync(this.#fd);
    if (!this.#marks.includes(ON)) rmSync(this.#file, { force: true });
  }

  #mark(position: number, isOn: boolean): void {
    this.#marks[position] = isOn ? ON : OFF;
  }

  #write(): void {
    writeSync(this.#fd, this.#marks, 0, this.#marks.length, this.#offset);
  }
}

function parse(text: string): { heading: Heading; marks: string } {
  const end = text.indexOf("\n") + 1;
  return { heading: JSON.parse(text.slice(0, end)) as Heading, marks: text.slice(end) };
}

/**
 * Folders for registers, the best first. Only root can make something in root's: in /dev/shm, any user can use up the memory or the name.
 * An ordinary user's own is of the user's session.
 */
function rootsOf(uid = process.getuid?.() ?? 0): readonly string[] {
  return uid === 0 ? ["/run", "/dev", "/dev/shm"] : [`/run/user/${uid}`, "/dev/shm"];
}

/** The path of the register of that name. @throws Error when no folder is in memory, or the folder is not only ours. */
export function registerFile(name: string, roots = rootsOf()): string {
  let reason = `neither ${roots.join(" nor ")} is in memory, and holds are recorded there`;
  for (const root of roots.filter(isInMemory)) {
    try {
      return path.join(ownFolder(root), name);
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
  }
  throw new Error(reason);
}

function ownFolder(root: string): string {
  const folder = path.join(root, `holdstill-keeper-${process.getuid?.()}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(folder);
  // In /dev/shm any user may have created it, or a link in its place.
  if (uid !== process.getuid?.() || (mode & 0o170077) !== 0o040000)
    throw new Error(`${folder} belongs to another user, or another user can write to it`);
  return folder;
}

/** What the keeper of that name still holds although it and its watchdog are dead; null: nothing. */
export function abandonedHolds(name: string): { file: string; targets: HoldTarget[] } | null {
  try {
    const file = registerFile(name);
    const { heading, marks } = parse(readFileSync(file, "utf8"));
    if (heading.keepers.some(mayLive)) return null;
    const held = heading.targets.filter((_, index) => marks[index + 1] === "1");
    return marks.includes("1") ? { file, targets: held.map(({ target }) => target) } : null;
  } catch {
    return null;
  }
}

/** A process of another pid namespace cannot be seen from here. */
const mayLive = (keeper: ProcessIdentity): boolean =>
  keeper.namespace !== pidNamespace() || startTicks(keeper.pid) === keeper.startTicks;

const pidNamespace = (): string => readlinkSync("/proc/self/ns/pid");

/** null: it is dead. So is a process (state Z) that was killed and has a thread left in the kernel. */
function startTicks(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Field 3 comes after the name, which ends with the last bracket.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

function isInMemory(folder: string): boolean {
  try {
    return statfsSync(folder).type === TMPFS_MAGIC;
  } catch {
    return false;
  }
}
