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
import type { BackendName } from "./section.js";
import type { ArmRequest, ArmTarget } from "./wire.js";

/** statfs(2): a file system in memory. It never waits for a disk, and goes with the kernel whose holds are noted there. */
const TMPFS_MAGIC = 0x01021994;

/** A process, also when its number has been given to another one since. */
interface ProcessIdentity {
  pid: number;
  /** Field 22 of proc_pid_stat(5), in ticks since boot. */
  since: string;
  /** Of its pid namespace. */
  space: string;
}

/** The first line of a ledger. */
interface Heading {
  version: 1;
  stations: ArmTarget[];
  means: BackendName;
  /** The keeper, and who does its work when it is dead. One of them alive: nobody else is needed. */
  keepers: ProcessIdentity[];
}

const OFF = "0".charCodeAt(0);
const ON = "1".charCodeAt(0);

/**
 * What a keeper may hold at this moment, noted before the kernel is asked, in a file that outlives it. Whoever comes after it
 * releases that, and nothing else. After the heading there is a byte for the kernel's haste, and one for each station.
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

  /** Of a keeper that is this process; nothing is held yet. `guardian`: the pid of who takes over. */
  static begin(
    { register: ledger, targets: stations }: ArmRequest,
    means: BackendName,
    guardian: number,
  ): HoldRegister {
    const keepers = [process.pid, guardian].map((pid) => ({ pid, since: sinceWhen(pid) ?? "", space: space() }));
    const heading: Heading = { version: 1, stations, means, keepers };
    const text = `${JSON.stringify(heading)}\n${"0".repeat(stations.length + 1)}`;
    const fd = openSync(ledger, "w", 0o600);
    writeSync(fd, text, 0);
    return new HoldRegister(ledger, fd, text);
  }

  /** Of a keeper that is dead; `lock` waits for whoever else is about to inherit it. null: there is none any more. */
  static async inherit(file: string, lock: (fd: number) => Promise<void>): Promise<HoldRegister | null> {
    if (!existsSync(file)) return null;
    const fd = openSync(file, "r+");
    await lock(fd);
    return new HoldRegister(file, fd, readFileSync(fd, "utf8"));
  }

  get isHurrying(): boolean {
    return this.#marks[0] === ON;
  }

  mayHold(station: number): boolean {
    return this.#marks[station + 1] === ON;
  }

  hurries(isOn: boolean): void {
    this.#mark(0, isOn);
    this.#write();
  }

  asks(stations: readonly number[]): void {
    for (const station of stations) this.#mark(station + 1, true);
    this.#write();
  }

  /** It was not held after all, or is released. */
  isFree(station: number): void {
    this.#mark(station + 1, false);
    this.#write();
  }

  /** What is still held stays in it, for `recover`. */
  end(): void {
    closeSync(this.#fd);
    if (!this.#marks.includes(ON)) rmSync(this.#file, { force: true });
  }

  #mark(at: number, isOn: boolean): void {
    this.#marks[at] = isOn ? ON : OFF;
  }

  #write(): void {
    writeSync(this.#fd, this.#marks, 0, this.#marks.length, this.#offset);
  }
}

function parse(text: string): { heading: Heading; marks: string } {
  const end = text.indexOf("\n") + 1;
  return { heading: JSON.parse(text.slice(0, end)) as Heading, marks: text.slice(end) };
}

/** Where the ledger of that name is. @throws Error where nothing lies in memory. */
export function registerFile(name: string, roots: readonly string[] = ["/run", "/dev/shm"]): string {
  const root = roots.find((one) => isInMemory(one));
  if (root === undefined) throw new Error(`neither ${roots.join(" nor ")} lies in memory, to note there what is held`);
  const folder = path.join(root, `holdstill-keeper-${process.getuid?.()}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(folder);
  // In /dev/shm anybody may have made it, or a link.
  if (uid !== process.getuid?.() || (mode & 0o170077) !== 0o040000)
    throw new Error(`${folder} belongs to somebody else`);
  return path.join(folder, name);
}

/** What a keeper of that name has left held when there is nobody any more to release it; null: nothing. */
export function abandonedHolds(name: string): { file: string; points: HoldTarget[] } | null {
  try {
    const file = registerFile(name);
    const { heading, marks } = parse(readFileSync(file, "utf8"));
    if (heading.keepers.some(({ pid, since, space: its }) => its !== space() || sinceWhen(pid) === since)) return null;
    const held = heading.stations.filter((_, at) => marks[at + 1] === "1");
    return marks.includes("1") ? { file, points: held.map(({ target: point }) => point) } : null;
  } catch {
    return null;
  }
}

const space = (): string => readlinkSync("/proc/self/ns/pid");

/** null: it is dead. A process that was killed and has a thread left in the kernel is (state Z). */
function sinceWhen(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // After the name, which ends with the last bracket, comes field 3.
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
