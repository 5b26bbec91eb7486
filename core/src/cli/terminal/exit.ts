import { drained, outputFault, put } from "./output-queue.js";

interface Exits {
  hasStuckWorkers(): boolean;
  exitNow(code: number): never;
}

let exits: Exits | null = null;

/** Call it before plugins are called: once a worker hangs in the kernel, an import may hang behind it. */
export async function prepareExit(): Promise<void> {
  const [{ hasStuckWorkers }, { exitNow }] = await Promise.all([
    import("../../host/isolation/host/pool.js"),
    import("../../os/libc.js"),
  ]);
  exits = { hasStuckWorkers, exitNow };
}

/** Ends the process once its output is written. While a worker hangs in the kernel, only _exit(2) can end it. */
export async function exitProcess(requested: number): Promise<void> {
  await drained();
  const fault = outputFault();
  if (fault !== null) put(2, `holdstill: The output could not be written: ${fault.message}\n`);
  await drained();
  const code = fault !== null && requested === 0 ? 1 : requested;
  process.exitCode = code;
  if (exits?.hasStuckWorkers() === true) exits.exitNow(code);
}
