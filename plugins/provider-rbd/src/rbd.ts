import type { Context, ExecOptions, ExecResult } from "holdstill/plugin";
import type { Options } from "./options.js";

/** Runs rbd(8) as the options have it. */
export async function rbd(ctx: Context<Options>, args: readonly string[], how: ExecOptions = {}): Promise<ExecResult> {
  const { conf, user, keyring, answerSeconds } = ctx.options;
  const key = keyring === undefined ? [] : ["--keyring", keyring];
  return await ctx.exec("rbd", ["--conf", conf, "--id", user, ...key, ...args], {
    limitMs: answerSeconds * 1000,
    ...how,
  });
}
