import type { Report } from "holdstill/plugin";

/** A writer's transaction call by call, so that a test can let something happen before any of them. */
export const calls = ["identify", "prepare", "freeze", "thaw", "seal", "recover", "verify"] as const;
export type Call = (typeof calls)[number] | "abort";

/** Each answers "well", or what it says instead; a fault's code is its word too. */
export type Steps = Readonly<Record<Call, () => Promise<string>>>;

export async function well(work: unknown): Promise<string> {
  await work;
  return "well";
}

export function wordOf(report: Report | undefined): string {
  return report?.ok === true ? "well" : (report?.why ?? "no answer");
}

/** Plays the transaction up to the call, lets it happen, and answers what the call says; then everything is undone. */
export async function saidBy(steps: Steps, call: Call, happens: () => Promise<void>): Promise<string> {
  return await playedTo(steps, call, async () => {
    await happens();
    return await steps[call]();
  });
}

/** As `saidBy`, but it happens while the call waits. */
export async function saidWhile(
  steps: Steps,
  call: Call,
  waits: () => Promise<void>,
  happens: () => Promise<void>,
): Promise<string> {
  return await playedTo(steps, call, async () => {
    const meanwhile = waits().then(happens);
    const [said, happened] = await Promise.allSettled([steps[call](), meanwhile]);
    if (happened.status === "rejected") throw happened.reason;
    if (said.status === "rejected") throw said.reason;
    return said.value;
  });
}

async function playedTo(steps: Steps, call: Call, last: () => Promise<string>): Promise<string> {
  const path: Call[] =
    call === "abort" ? ["identify", "prepare", "freeze", call] : calls.slice(0, calls.indexOf(call) + 1);
  try {
    for (const next of path.slice(0, -1)) {
      const said = await steps[next]();
      if (said !== "well") return `${next}, before it happened: ${said}`;
    }
    return await last();
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  } finally {
    await steps.abort();
  }
}
