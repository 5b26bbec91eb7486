import { constants } from "node:fs";
import { access } from "node:fs/promises";
import path from "node:path";
import type { Context, ExecResult } from "holdstill/plugin";
import { PluginError } from "./errors.js";
import type { Facts } from "./facts.js";
import type { Folder, Owner } from "./folder.js";
import type { Options } from "./options.js";
import { asOwner, inOwnNamespace, systemPath } from "./privileges.js";
import { serverOn } from "./server-process.js";
import type { PlacedFolder } from "./snapshot.js";

export type Program = "postgres" | "pg_ctl" | "pg_checksums" | "pg_amcheck";

/** The cluster that they work on, a snapshot for example. */
export interface Workplace {
  readonly facts: Facts;
  readonly dataDir: string;
  readonly folder: Folder;
  readonly owner: Owner;
  /** What they may write to; absent: whatever the owner may. */
  readonly roots?: readonly string[];
  /** If these are several, each place covers its original. */
  readonly places: readonly PlacedFolder[];
}

/** The programs of the server's own version, run as the owner of the data directory, and with no other rights. */
export class Programs {
  readonly #dir: string;
  readonly #workplace: Workplace;
  readonly #ctx: Context<Options>;

  private constructor(dir: string, workplace: Workplace, ctx: Context<Options>) {
    this.#dir = dir;
    this.#workplace = workplace;
    this.#ctx = ctx;
  }

  /** @throws PG_PROGRAMS if there are none, or of another major version, which cannot read the files. */
  static async of(workplace: Workplace, ctx: Context<Options>): Promise<Programs> {
    const dir = ctx.options.binDir ?? (await captured(workplace));
    const programs = new Programs(dir, workplace, ctx);
    const wanted = workplace.folder.read("PG_VERSION").toString("latin1").trim();
    const { exitCode, stdout, stderr } = await programs.run("postgres", ["--version"]);
    if (exitCode !== 0) throw programsError(`${dir}/postgres does not run as the server's user: ${stderr.trim()}`);
    const found = / (\d+)/.exec(stdout)?.[1];
    if (found !== wanted)
      throw programsError(`the data is of PostgreSQL ${wanted}, the programs in ${dir} are of ${found}`);
    return programs;
  }

  /** Its working directory is the data directory. It has the rights of the owner, and may write to the roots alone. */
  async run(program: Program, args: readonly string[]): Promise<ExecResult> {
    const file = path.join(this.#dir, program);
    try {
      await access(file, constants.X_OK);
    } catch (error) {
      throw programsError(`the program ${file} does not exist`, { cause: error });
    }
    const { places, roots, owner, dataDir } = this.#workplace;
    const there = ["env", `--chdir=${dataDir}`, file, ...args];
    const [command, ...rest] = places.length === 1 ? asOwner(owner, there) : inOwnNamespace(owner, places, there);
    const options = { cwd: "/", env: { PATH: systemPath }, priority: "background" } as const;
    return await this.#ctx.exec(command, rest, roots === undefined ? options : { ...options, writable: roots });
  }
}

/** Where the captured server's programs are now: it may have been started again since, in another container. */
async function captured({ facts }: Workplace): Promise<string> {
  const dir = facts.programs;
  if (dir !== undefined && (await access(path.join(dir, "postgres"), constants.X_OK).then(isThere, isNotThere)))
    return dir;
  const found = serverOn(facts.dataDir)?.programs ?? dir;
  if (found === undefined) throw programsError("the place of the server's programs is unknown");
  return found;
}

const isThere = (): boolean => true;
const isNotThere = (): boolean => false;

function programsError(message: string, options?: ErrorOptions): PluginError {
  const hint = "Install the server's programs, or give their folder with the option binDir.";
  return new PluginError("PG_PROGRAMS", message, hint, options);
}
