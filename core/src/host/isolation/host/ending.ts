/** What is known of a worker that ended by itself. */
export interface WorkerEnding {
  code: number | null;
  /** Processes only. */
  signal: string | null;
  /** Threads only: what was thrown at the top. */
  error: unknown;
  /** A process reports it on stderr, and then aborts. */
  outOfMemory: boolean;
  memoryMb: number;
}

/** Why a worker ended, for a person: "The worker of … ended during freeze: <reason>." */
export function reasonOf({ code, signal, error, outOfMemory, memoryMb }: WorkerEnding): string {
  if (outOfMemory || codeOf(error) === "ERR_WORKER_OUT_OF_MEMORY")
    return `it needed more than its ${memoryMb} MiB of memory`;
  if (error instanceof Error) return `an exception that nothing caught: ${error.message}`;
  if (signal !== null) return `it was ended by ${signal}`;
  return `it exited with code ${code ?? 0}`;
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}
