import { once } from "node:events";
import type { Kernel } from "./kernels.js";
import { startMachine } from "./machine.js";

/** A shell for a person, in a guest that goes when the shell ends. */
export async function openShell(kernel: Kernel): Promise<number> {
  console.log(
    `A shell in kernel ${kernel.version}: four empty disks, /dev/ubda to /dev/ubdd; all else is lost at its end.`,
  );
  const machine = startMachine(
    kernel,
    { LAB_MODE: "shell", LAB_KERNEL: kernel.name },
    ["con0=fd:0,fd:1"],
    ["inherit", "inherit", "inherit", "ignore"],
  );
  try {
    await once(machine.process, "exit");
    return machine.process.exitCode ?? 1;
  } finally {
    await machine.stop();
  }
}
