import type { TestContext } from "node:test";

/** Lends the rigs of the tests what they need of a test: to be told when it ends. */
export class Stay implements AsyncDisposable {
  readonly t: TestContext;
  readonly #jobs: (() => unknown)[] = [];

  constructor() {
    const context = {
      after: (job: () => unknown) => this.#jobs.push(job),
      skip: (reason?: string) => {
        throw new Error(reason);
      },
    };
    this.t = context as unknown as TestContext;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const job of this.#jobs) await job();
  }
}
