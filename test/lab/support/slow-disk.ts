import type { TestContext } from "node:test";
import { onEnd } from "../../support/process/on-end.js";
import { freeDisk, run } from "./volume-group.js";

/** Where the disk's own label would be, sectors; there nobody sees the one of ours. */
const OFFSET = 2048;

/** A disk that can be made slow, so that there is time to kill who writes to it. */
export class SlowDisk {
  readonly node: string;
  readonly #disk = freeDisk();
  readonly #name = `slow${process.pid}`;

  constructor(t: TestContext) {
    run("dmsetup", ["create", this.#name, "--table", this.#table()]);
    // The laboratory's LVM looks at no device-mapper devices; past the page cache, so that who writes does wait.
    this.node = run("losetup", ["--find", "--show", "--direct-io=on", `/dev/mapper/${this.#name}`]).trim();
    onEnd(t, () => {
      run("losetup", ["--detach", this.node]);
      run("dmsetup", ["remove", "--retry", this.#name]);
    });
  }

  /** Each write takes so long from now on, ms. */
  delay(ms: number): void {
    run("dmsetup", ["load", this.#name, "--table", this.#table(ms)]);
    run("dmsetup", ["resume", this.#name]);
  }

  #table(ms = 0): string {
    const length = Number(run("blockdev", ["--getsz", this.#disk])) - OFFSET;
    const at = `${this.#disk} ${OFFSET}`;
    return ms === 0 ? `0 ${length} linear ${at}` : `0 ${length} delay ${at} 0 ${at} ${ms}`;
  }
}
