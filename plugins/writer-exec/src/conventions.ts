import { constants } from "node:fs";
import { access, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { azureHooks } from "./azure.js";
import { codeOf } from "#kit/plugin-error.js";
import { PluginError } from "./errors.js";
import { scriptProblem } from "./script.js";
import type { Call, Hook, Hooks } from "./hook.js";
import type { Options } from "./options.js";

/** Gets what was skipped in a folder, as the original of a convention does. */
export type Warn = (message: string) => void;

/** The hooks that the options name. @throws PluginError HOOK_MISSING if there are none, or one cannot be run; HOOK_CONFIG. */
export async function hooksOf(options: Options, warn: Warn): Promise<Hooks> {
  const hooks = await found(options, warn);
  if (hooks.list.length === 0) throw none(options);
  for (const { freeze, thaw } of hooks.list) {
    for (const { program } of [freeze, thaw]) await assertExecutable(program);
  }
  return hooks;
}

async function found({ freeze, thaw, qemu, vmware, azure }: Options, warn: Warn): Promise<Hooks> {
  if (qemu !== undefined) return qemuHooks(qemu, warn);
  if (vmware !== undefined) return vmwareHooks(vmware, warn);
  if (azure !== undefined) return azureHooks(azure);
  if (freeze === undefined || thaw === undefined) throw new Error("plugin.json does not allow such options");
  const [begin, end] = [callOf(...freeze), callOf(...thaw)];
  return { convention: "own", list: [{ freeze: begin, thaw: end, fail: end }], thawing: "same" };
}

const callOf = (program: string, ...args: string[]): Call => ({ program, args });

/**
 * What the dispatcher that comes with the guest agent does (qemu, scripts/qemu-guest-agent/fsfreeze-hook): every executable of the
 * folder in the order of names, to freeze and to thaw, without what editors and package managers leave. It ignores failures;
 * here they count.
 */
async function qemuHooks(named: string, warn: Warn): Promise<Hooks> {
  const leftByTools = /(~|\.(bak|orig|rpmnew|rpmorig|rpmsave|sample|dpkg-[a-z]+))$/;
  const files = (await filesOf(named, warn)).filter((file) => file === named || !leftByTools.test(file));
  const programs: string[] = [];
  for (const file of files) if (file === named || (await isExecutable(file))) programs.push(file);
  const list = programs.map((program): Hook => {
    const thaw = callOf(program, "thaw");
    return { freeze: callOf(program, "freeze"), thaw, fail: thaw };
  });
  return { convention: "qemu", list, thawing: "same" };
}

/** What VMware Tools do (open-vm-tools, services/plugins/vmbackup/scriptOps.c): every file, and in reverse order to thaw. */
async function vmwareHooks(folder: string, warn: Warn): Promise<Hooks> {
  const list = (await filesOf(folder, warn)).map((program) => ({
    freeze: callOf(program, "freeze"),
    thaw: callOf(program, "thaw"),
    fail: callOf(program, "freezeFail"),
  }));
  return { convention: "vmware", list, thawing: "reverse" };
}

/** The files of a folder in the order of names, without links that lead nowhere; of a file, itself. */
async function filesOf(named: string, warn: Warn): Promise<string[]> {
  try {
    if ((await stat(named)).isFile()) return [named];
    const paths = (await readdir(named)).toSorted().map((name) => path.join(named, name));
    const kept = await Promise.all(paths.map(async (file) => await isFile(file, warn)));
    return paths.filter((_, index) => kept[index]);
  } catch (cause) {
    const hint = "Correct the option that names it.";
    throw new PluginError("HOOK_MISSING", `${named} cannot be read: ${(cause as Error).message}`, hint, { cause });
  }
}

async function isFile(file: string, warn: Warn): Promise<boolean> {
  try {
    return (await stat(file)).isFile();
  } catch (error) {
    if (codeOf(error) !== "ENOENT" && codeOf(error) !== "ELOOP") throw error;
    warn(`${file} is a link that leads to no file, and is skipped`);
    return false;
  }
}

async function assertExecutable(program: string): Promise<void> {
  if (await isExecutable(program)) {
    const problem = await scriptProblem(program);
    if (problem === undefined) return;
    throw new PluginError("HOOK_MISSING", `${program} cannot be run: ${problem.message}`, problem.hint);
  }
  const hint = `If it is a hook: chmod u+x ${program}. If not, take it out of the folder or the options.`;
  throw new PluginError("HOOK_MISSING", `${program} does not exist, or is not a program`, hint);
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

function none({ qemu, vmware }: Options): PluginError {
  const where = qemu ?? vmware ?? "";
  return new PluginError(
    "HOOK_MISSING",
    `${where} has no hook`,
    "Without a hook, the application would not be frozen.",
  );
}
