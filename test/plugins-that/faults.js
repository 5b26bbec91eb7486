/** Everything that a plugin can do wrong. Each fault misbehaves in the call that it is asked for in. */
import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export const faults = {
  throws: async () => {
    throw Object.assign(new TypeError("the application said no"), { code: "EAPP", hint: "Ask it nicely." });
  },
  "rejects-non-error": () => Promise.reject("a text that is no error"),
  "rejects-null": () => Promise.reject(null),
  "rejects-unhandled": async () => {
    void Promise.reject(new Error("nobody handles this"));
    await sleep(60_000);
  },
  hangs: () => new Promise(() => {}),
  spins: async () => {
    for (;;);
  },
  /** Hangs in the kernel: opens a FIFO that nobody writes to. */
  blocks: async ({ dir }) => {
    const fifo = path.join(dir, "fifo");
    if (!existsSync(fifo)) execFileSync("mkfifo", [fifo]);
    openSync(fifo, "r");
  },
  /** Hangs in the kernel so that no signal reaches it: writes to a file system that is held. */
  stuck: async ({ options }) => writeFileSync(path.join(options.hold[0], "stuck"), ""),
  exits: async () => process.exit(3),
  /** Small objects. One large array would take the host with it in a thread: that cannot be tested in the host's process. */
  "out-of-memory": async () => {
    const kept = [];
    for (;;) kept.push({ text: String(kept.length), more: [kept.length] });
  },
  /** Any JSON value but null is a freeze token. */
  nonsense: async ({ op }) => (op === "freeze" ? null : { nonsense: true }),
  uncloneable: async () => ({ held: true, facts: { callback: () => "a function is not data" } }),
  /** Answers correctly, but does not care for the signal. */
  late: ({ options }) => sleep(options.delayMs ?? 1000),
};

/** What calls.log says of each call; the tests read it. */
export function note(dir, op, tx) {
  mkdirSync(dir, { recursive: true });
  appendFileSync(path.join(dir, "calls.log"), `${JSON.stringify({ op, tx: tx?.id ?? null, pid: process.pid })}\n`);
}

/**
 * The plugin's methods, wrapped: each call is noted and takes `options.eachMs` more, and in `options.in` the fault `options.does` happens, `before` or `after`
 * (the default) the method's real effect.
 */
export function misbehaving(methods, dirOf) {
  return Object.fromEntries(
    Object.entries(methods).map(([op, method]) => [
      op,
      async (...args) => {
        const { options } = args.at(-1);
        const dir = dirOf(options);
        note(dir, op, args[0]);
        await sleep(options.eachMs ?? 0);
        const fault = options.in === op ? faults[options.does] : undefined;
        const misbehave = async (answer) => {
          const worse = await fault({ op, dir, options });
          return worse === undefined ? answer : worse;
        };
        if (fault !== undefined && options.when === "before") {
          const answer = await misbehave(undefined);
          return answer === undefined ? method(...args) : answer;
        }
        const answer = await method(...args);
        return fault === undefined ? answer : misbehave(answer);
      },
    ]),
  );
}
