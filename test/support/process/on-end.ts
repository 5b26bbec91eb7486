import type { TestContext } from "node:test";

type Job = () => unknown;

const jobs = new WeakMap<TestContext, Job[]>();

/**
 * Does the job when the test ends, last come first: a server is stopped before the folder that it works in goes. node:test's own
 * `after` goes the other way round, and leaves out the rest when one fails; here all are done, and the faults told.
 */
export function onEnd(t: TestContext, job: Job): void {
  const known = jobs.get(t);
  if (known !== undefined) {
    known.push(job);
    return;
  }
  const stack = [job];
  jobs.set(t, stack);
  t.after(async () => {
    const faults: unknown[] = [];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      try {
        await next();
      } catch (error) {
        faults.push(error);
      }
    }
    if (faults.length > 0) throw new AggregateError(faults, "the test did not clean up");
  });
}
