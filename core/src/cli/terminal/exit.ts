import { drained, outputFault, put } from "./output-queue.js";

interface Exits {
  hasStuckWorkers(): boolean;
  exitNow(code: number): never;
}

let exits: Exits | null = null;

/** To be called before plugins are: once a worker hangs in the kernel, an import may hang behind it. */
export async function prepareExit(): Promise<void> {
  const [{ hasStuckWorkers }, { exitNow }] = await Promise.all([
    import("../../host/isolation/host/pool.js"),
    import("../../os/libc.js"),
  ]);
  exits = { hasStuckWorkers, exitNow };
}

/** Ends the command line once its output is out. While a worker hangs in the kernel, only _exit(2) ends the process. */
export async function exitProcess(asked: number): Promise<void> {
  await drained();
  const fault = outputFault();
  if (fault !== null) put(2, `holdstill: The output could not be written: ${fault.message}\n`);
  await drained();
  const code = fault !== null && asked === 0 ? 1 : asked;
  process.exitCode = code;
  if (exits?.hasStuckWorkers() === true) exits.exitNow(code);
}
