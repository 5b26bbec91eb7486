import path from "node:path";
import type { Kernel } from "./kernels.js";

/** How long a guest may take for one test file. */
export interface GuestLimits {
  /** The longest that the process of the file may run, s. The guest itself sees to that. */
  readonly fileSeconds: number;
  /** A guest that tells nothing for this long while the file runs hangs, s. More than fileSeconds. */
  readonly silenceSeconds: number;
}

/** What the slower files take on the newest kernel and a quiet machine, s: `npm run lab -- --kernel 7.2` tells it. */
const usual = new Map([
  ["clock", 30],
  ["conformance", 10],
  ["matrix-encrypted", 90],
  ["matrix-mapping", 90],
  ["matrix-thick", 90],
  ["matrix-thin", 90],
  ["mysql", 25],
  ["orders", 120],
  ["postgres", 25],
  ["provider-dmsnap-adopt", 50],
  ["provider-dmsnap-crash", 25],
  ["provider-dmsnap-raw", 25],
  ["provider-dmsnap-revert", 25],
  ["provider-lvm", 25],
  ["provider-lvm-foreign", 20],
  ["provider-lvm-full", 20],
  ["provider-lvm-raw", 30],
  ["provider-lvm-raw-revert", 25],
  ["provider-lvm-raw-together", 30],
  ["provider-lvm-missing", 30],
  ["provider-lvm-revert", 40],
  ["provider-lvm-stacks", 25],
  ["provider-lvm-watch", 20],
  ["providers-together", 40],
  ["session", 40],
  ["suspended", 40],
  ["udev", 130],
]);
const usualOfOthers = 15;

/** The kernels that run a guest's processes by ptrace(2) take so much longer. */
const slowness = (kernel: Kernel): number => (kernel.args.includes("seccomp=auto") ? 1 : 2);

/** A machine that does other work beside may take so much longer, and never less than the floor, s. */
const patience = 12;
const floor = 300;
/** What the guest takes to end a process that does not want to end, and to tell so, s. */
const afterwards = 30;

/** The limits of a test file, in proportion to what it usually takes on that kernel. */
export function limitsOf(kernel: Kernel, file: string): GuestLimits {
  const name = path.basename(file).replace(/\.lab\.js$/, "");
  const fileSeconds = Math.max(floor, patience * slowness(kernel) * (usual.get(name) ?? usualOfOthers));
  return { fileSeconds, silenceSeconds: fileSeconds + afterwards };
}
