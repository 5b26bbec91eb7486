import { execFileSync } from "node:child_process";
import { chmodSync, rmSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { loopFs, makeFs, mountImage } from "./loop-device.js";

/**
 * An ext4 file system in a file on XFS, of which snapshots of one instant can be taken: it is frozen, the file is cloned, it is
 * thawed. What a logical volume with snapshots is elsewhere.
 */
export class Cuttable {
  readonly mount: string;
  readonly #t: TestContext;
  readonly #outer: string;
  #cuts = 0;

  private constructor(t: TestContext, outer: string) {
    this.#t = t;
    this.#outer = outer;
    makeFs("ext4", this.#disk, 1024 ** 3);
    this.mount = mountImage(t, this.#disk, path.join(outer, "mount")).point;
    for (const dir of [path.dirname(outer), this.mount]) chmodSync(dir, 0o755);
  }

  /** null where this machine cannot: the test is skipped then. */
  static make(t: TestContext): Cuttable | null {
    const outer = loopFs(t, "xfs", "outer", 6 * 1024 ** 3);
    return outer === null ? null : new Cuttable(t, outer);
  }

  get #disk(): string {
    return path.join(this.#outer, "disk");
  }

  /** Takes a snapshot, mounts it, and answers where, how long the file system was frozen, ms, and how to be rid of it. */
  cut(): { at: string; frozenMs: number; remove: () => void } {
    this.#cuts += 1;
    const image = path.join(this.#outer, `cut-${this.#cuts}`);
    const begun = performance.now();
    execFileSync("fsfreeze", ["--freeze", this.mount]);
    try {
      execFileSync("cp", ["--reflink=always", this.#disk, image]);
    } finally {
      execFileSync("fsfreeze", ["--unfreeze", this.mount]);
    }
    const frozenMs = performance.now() - begun;
    const { point, end } = mountImage(this.#t, image, `${image}.mount`);
    const remove = (): void => {
      end();
      rmSync(image);
    };
    return { at: point, frozenMs, remove };
  }
}
