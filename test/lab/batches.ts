import path from "node:path";
import type { LabEvent } from "./events.js";
import { KernelFailed } from "./guest.js";

/** A guest's kernel failed while that file ran in it, and the file is run once more. */
export interface KernelFailure {
  readonly event: "kernel failed";
  readonly file: string;
  readonly why: string;
}

/** Few, so that they find a kernel that has not done much yet, and a failure costs little. */
const filesPerGuest = 4;

/** A kernel that fails so often in one run does not fail by chance. */
const mostFailures = 5;

/**
 * Runs test files in one guest after the other, of few files each. What a file tells comes when the file has ended. When a
 * guest's kernel fails, the file that ran in it is run once more in a new guest, and the rest too; a file with which two kernels
 * fail has failed. `boot` runs files in one guest.
 */
export async function* runInGuests(
  files: readonly string[],
  boot: (files: readonly string[]) => AsyncGenerator<LabEvent, void>,
): AsyncGenerator<LabEvent | KernelFailure, void> {
  const left = [...files];
  let failures = 0;
  let suspect: string | undefined;
  while (left.length > 0) {
    const running = left.slice(0, filesPerGuest);
    let told: LabEvent[] = [];
    try {
      for await (const event of boot(running)) {
        told.push(event);
        if (event.event !== "ended") continue;
        yield* told;
        told = [];
        left.shift();
        running.shift();
      }
    } catch (error) {
      failures += 1;
      if (!(error instanceof KernelFailed) || failures > mostFailures) throw error;
      const why = error.message;
      const [culprit] = running;
      const file = culprit === undefined ? "after its last file" : path.basename(culprit);
      yield { event: "kernel failed", file, why };
      if (culprit === undefined) continue;
      if (culprit === suspect) {
        yield { event: "ended", file, code: null, why: `the kernel failed twice: ${why}` };
        left.shift();
      }
      suspect = culprit;
    }
  }
}
