import type { FileWithoutFlags, WithoutFlags } from "../../base/schema/types.js";
import type { PathHandle } from "../../os/path/handle.js";
import { lockCopies, type CopiedFlags, type UnkeptFlags } from "../../os/path/inode-flags.js";
import { pathIn } from "../../os/path/resolve.js";

const SHOWN = 10;

/** The inode flags of what is restored. The copies are held open, so that those flags reach them which come last, wherever they are then. */
export class RestoredFlags implements Disposable {
  readonly #copies: { to: string; top: PathHandle; copied: CopiedFlags }[] = [];

  /**
   * @param to Where the copy will be.
   * @param top The copy, which is closed together with the others.
   */
  add(to: string, top: PathHandle, copied: CopiedFlags): void {
    this.#copies.push({ to, top, copied });
  }

  /**
   * Makes what was immutable or append-only so again. Nothing may be changed after that.
   *
   * @returns What lacks flags of its original; undefined: nothing.
   * @throws HoldstillError E_PATH_FAILED
   */
  lock(): WithoutFlags | undefined {
    const without = this.#copies.flatMap(({ to, top, copied }) =>
      [...copied.unkept, ...lockCopies(top, copied.locks)].map((one) => fileOf(to, one)),
    );
    return without.length === 0 ? undefined : { count: without.length, first: without.slice(0, SHOWN) };
  }

  [Symbol.dispose](): void {
    for (const { top } of this.#copies) top[Symbol.dispose]();
  }
}

const fileOf = (to: string, { names, flags }: UnkeptFlags): FileWithoutFlags => ({
  path: names.reduce<string>((path, name) => pathIn({ path }, name), to),
  flags,
});
