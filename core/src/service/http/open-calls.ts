/** Calls in progress, also those whose clients have closed the connection. */
export class OpenCalls {
  readonly #running = new Set<Promise<unknown>>();

  get count(): number {
    return this.#running.size;
  }

  async run<T>(work: () => T | Promise<T>): Promise<T> {
    const running = (async () => work())();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Resolves when the present calls have ended. */
  async done(): Promise<void> {
    await Promise.allSettled(this.#running);
  }
}
