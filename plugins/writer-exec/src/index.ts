import type { Context, FreezeToken, ThawReport, Writer } from "holdstill/plugin";
import { hooksOf } from "./conventions.js";
import { HookFault } from "./errors.js";
import type { Hooks, Undo } from "./hook.js";
import type { Options } from "./options.js";
import { Owed } from "./owed.js";
import { run, shown } from "./run.js";

/** The hooks of each transaction, read before anything is frozen. */
const prepared = new Map<string, Hooks>();

const writer = {
  async identify({ options }) {
    const { component: name, kind, paths, exclude, tolerates, level } = options;
    const { convention, list } = await hooksOf(options);
    const facts = { convention, hooks: list.map(({ freeze }) => shown(freeze)) };
    return [{ name, kind, paths, tolerates, level, facts, ...(exclude === undefined ? {} : { exclude }) }];
  },

  async prepare(tx, { options }) {
    prepared.set(tx.id, await hooksOf(options));
  },

  async freeze(tx, ctx): Promise<FreezeToken> {
    const { list, thawing } = prepared.get(tx.id) ?? (await hooksOf(ctx.options));
    const owed = new Owed(ctx.dataDir, tx.id);
    for (const { freeze, thaw, fail } of list) {
      const undo = { thaw, fail };
      owed.write(thawing === "same" ? [...owed.read(), undo] : [undo, ...owed.read()]);
      ctx.progress(shown(freeze));
      await run(ctx, { leftovers: "keep", share: 1 }, freeze);
    }
    if (!(await isFrozen(ctx))) throw notFrozen(ctx.options, "after the freeze");
    return { hooks: list.length };
  },

  async thaw(tx, _token, ctx): Promise<ThawReport> {
    const held = await isFrozen(ctx).catch(() => false);
    await letGo(new Owed(ctx.dataDir, tx.id), "thaw", ctx);
    prepared.delete(tx.id);
    const facts = { checked: ctx.options.check !== undefined };
    return held
      ? { uninterrupted: held, facts }
      : { uninterrupted: held, reason: notFrozen(ctx.options, "before the thaw").message, facts };
  },

  async abort(tx, _token, ctx) {
    prepared.delete(tx.id);
    await letGo(new Owed(ctx.dataDir, tx.id), "fail", ctx);
  },
} satisfies Writer<Options>;

export default writer as Writer<Options>;

/** Lets everybody go on whom a freeze was begun for; the failure of one never stops the next. Who failed stays owed. */
async function letGo(owed: Owed, how: keyof Undo, ctx: Context<Options>): Promise<void> {
  const frozen = owed.read();
  const left = new Set(frozen);
  const faults: unknown[] = [];
  for (const [index, undo] of frozen.entries()) {
    try {
      await run(ctx, { leftovers: "leave", share: frozen.length - index }, undo[how]);
      left.delete(undo);
      owed.write(frozen.filter((one) => left.has(one)));
    } catch (error) {
      faults.push(error);
    }
  }
  if (faults.length > 0) throw notThawed(faults);
}

/** True where the application cannot be asked. */
async function isFrozen(ctx: Context<Options>): Promise<boolean> {
  const { check } = ctx.options;
  if (check === undefined) return true;
  const [program, ...args] = check;
  const limitMs = Math.max(1, (ctx.deadline - Date.now()) / 4);
  return (await ctx.exec(program, args, { limitMs })).exitCode === 0;
}

function notFrozen({ check = ["/"] }: Options, when: string): HookFault {
  const [program, ...args] = check;
  const message = `${shown({ program, args })} says ${when} that the application is not frozen`;
  return new HookFault("NOT_FROZEN", message, "Look at what thaws it; a hook's holder may have a timeout of its own.");
}

function notThawed(faults: readonly unknown[]): HookFault {
  const said = faults.map((fault) => (fault instanceof Error ? fault.message : String(fault))).join("; ");
  return new HookFault("NOT_THAWED", said, "Thaw it by hand, or mend the hook and run `holdstill recover`.", {
    cause: faults[0],
  });
}
