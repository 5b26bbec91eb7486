import { closeSync, openSync, readSync, writeSync } from "node:fs";

const knob = "/sys/kernel/rcu_expedited";

/**
 * Expedites the kernel's RCU grace periods while it freezes. freeze_super() takes three locks that wait for a grace period each
 * (fs/super.c, percpu_down_write): 15 ms and more of held I/O in which nothing happens. An expedited grace period takes microseconds and
 * costs each processor an interrupt; the kernel does the same while the machine suspends. Without the permission, the hold takes longer.
 */
export class RcuExpedited {
  /** null: it must not be changed. */
  readonly #fd: number | null;
  #isOn = false;

  /** `inherited`: a keeper that died has left it on. */
  constructor(inherited: boolean, file = knob) {
    this.#fd = open(file, inherited);
    this.#isOn = inherited;
  }

  /** Whether it can be switched on here, and must be switched off again. */
  get isOurs(): boolean {
    return this.#fd !== null;
  }

  begin(): void {
    this.#write("1");
    this.#isOn = true;
  }

  /** Idempotent. */
  end(): void {
    if (this.#isOn) this.#write("0");
    this.#isOn = false;
  }

  #write(value: "0" | "1"): void {
    if (this.#fd === null) return;
    try {
      writeSync(this.#fd, value, 0);
    } catch {
      // The hold only takes longer.
    }
  }
}

/** Opened only if it is off: if another process has switched it on, it stays on. */
function open(file: string, inherited: boolean): number | null {
  try {
    const fd = openSync(file, "r+");
    const value = Buffer.alloc(1);
    readSync(fd, value, 0, 1, 0);
    if (inherited || value.toString() === "0") return fd;
    closeSync(fd);
    return null;
  } catch {
    return null;
  }
}
