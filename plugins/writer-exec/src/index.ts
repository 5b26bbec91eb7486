import type { Context, FreezeToken, ThawReport, Transaction, Writer } from "holdstill/plugin";
import { Owed } from "#kit/owed.js";
import { messageOf } from "#kit/plugin-error.js";
import { hooksOf } from "./conventions.js";
import { PluginError } from "./errors.js";
import type { Hooks, Undo } from "./hook.js";
import type { Options } from "./options.js";
import { run, shown } from "./run.js";

/** The hooks of each transaction, read before anything is frozen. */
const prepared = new Map<string, Hooks>();

const writer = {
  async identify({ options, log }) {
    const { component: name, kind, paths, exclude, tolerates, level } = options;
    const { convention, list } = await hooksOf(options, (message) => log.warn(message));
    const facts = { convention, hooks: list.map(({ freeze }) => shown(freeze)) };
    return [{ name, kind, paths, tolerates, level, facts, ...(exclude === undefined ? {} : { exclude }) }];
  },

  async prepare(tx, { options, log }) {
    prepared.set(tx.id, await hooksOf(options, (message) => log.warn(message)));
  },

  async freeze(tx, ctx): Promise<FreezeToken> {
    const { list, thawing } = prepared.get(tx.id) ?? (await hooksOf(ctx.options, (message) => ctx.log.warn(message)));
    const owed = owedBy(tx, ctx);
    for (const { freeze, thaw, fail } of list) {
      const undo = { thaw, fail };
      const begun = owed.read() ?? [];
      owed.write(thawing === "same" ? [...begun, undo] : [undo, ...begun]);
      ctx.progress(shown(freeze));
      await run(ctx, { leftovers: "keep", share: 1 }, freeze);
    }
    if (!(await isFrozen(ctx))) throw notFrozen(ctx.options, "after the freeze");
    return { hooks: list.length };
  },

  async thaw(tx, _token, ctx): Promise<ThawReport> {
    const uninterrupted = await isFrozen(ctx).catch(() => false);
    await thawAll(owedBy(tx, ctx), "thaw", ctx);
    prepared.delete(tx.id);
    const facts = { checked: ctx.options.check !== undefined };
    return uninterrupted
      ? { uninterrupted, facts }
      : { uninterrupted, reason: notFrozen(ctx.options, "before the thaw").message, facts };
  },

  async abort(tx, _token, ctx) {
    prepared.delete(tx.id);
    await thawAll(owedBy(tx, ctx), "fail", ctx);
  },
} satisfies Writer<Options>;

export default writer as Writer<Options>;

/**
 * The hooks that have to be thawed, in that order, on disk before each is frozen: a new worker, or `holdstill recover` after a crash,
 * thaws exactly these, with the programs and arguments of the freeze.
 */
const owedBy = ({ id }: Transaction, { dataDir }: Context<Options>): Owed<readonly Undo[]> => new Owed(dataDir, id);

/** Thaws all hooks whose freeze was begun. One that fails does not stop the next one, and stays owed. */
async function thawAll(owed: Owed<readonly Undo[]>, how: keyof Undo, ctx: Context<Options>): Promise<void> {
  const frozen = owed.read() ?? [];
  const left = new Set(frozen);
  const errors: unknown[] = [];
  for (const [index, undo] of frozen.entries()) {
    try {
      await run(ctx, { leftovers: "leave", share: frozen.length - index }, undo[how]);
      left.delete(undo);
      if (left.size > 0) owed.write(frozen.filter((one) => left.has(one)));
      else owed.settle();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw notThawed(errors);
}

/** True if the options have no `check`. */
async function isFrozen(ctx: Context<Options>): Promise<boolean> {
  const { check } = ctx.options;
  if (check === undefined) return true;
  const [program, ...args] = check;
  const limitMs = Math.max(1, (ctx.deadline - Date.now()) / 4);
  return (await ctx.exec(program, args, { limitMs })).exitCode === 0;
}

function notFrozen({ check = ["/"] }: Options, when: string): PluginError {
  const [program, ...args] = check;
  const message = `${shown({ program, args })} reports ${when} that the application is not frozen`;
  const hint = "Find out what thaws it. The program that a hook leaves running may have its own timeout.";
  return new PluginError("NOT_FROZEN", message, hint);
}

function notThawed(errors: readonly unknown[]): PluginError {
  const hint = "Thaw it manually, or fix the hook and run `holdstill recover`.";
  return new PluginError("NOT_THAWED", errors.map(messageOf).join("; "), hint, { cause: errors[0] });
}
