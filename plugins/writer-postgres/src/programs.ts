import { constants, existsSync } from "node:fs";
import { access, readFile } from "node:fs/promises";
import path from "node:path";
import type { Context, ExecResult } from "holdstill/plugin";
import { PluginError } from "./errors.js";
import type { Options } from "./options.js";
import type { WritableSnapshot } from "./snapshot.js";

export type Program = "postgres" | "pg_ctl" | "pg_checksums" | "pg_amcheck";

/** Mounts pairs of folders, the first over the second, up to `--`, and replaces itself by the program that follows. */
const mountAndRun = 'while [ "$1" != -- ]; do mount --bind -- "$1" "$2"; shift 2; done; shift; exec "$@"';

/**
 * The programs of the server's own version, run as the owner of the snapshot's data directory.
 *
 * If a cluster is in several places, they run in a separate mount namespace, in which the snapshot covers the originals:
 * redo of CREATE TABLESPACE makes the link to the original place again, whatever was there (src/backend/commands/tablespace.c,
 * create_tablespace_directories), and a server would then write into the captured cluster.
 */
export class Programs {
  readonly #dir: string;
  readonly #snapshot: WritableSnapshot;
  readonly #ctx: Context<Options>;

  private constructor(dir: string, snapshot: WritableSnapshot, ctx: Context<Options>) {
    this.#dir = dir;
    this.#snapshot = snapshot;
    this.#ctx = ctx;
  }

  /** @throws PG_PROGRAMS if there are none, or of another major version, which cannot read the files. */
  static async of(snapshot: WritableSnapshot, ctx: Context<Options>): Promise<Programs> {
    const dir = ctx.options.binDir ?? snapshot.facts.programs;
    if (dir === undefined) throw programsError("the place of the server's programs is unknown");
    const programs = new Programs(dir, snapshot, ctx);
    const wanted = (await readFile(snapshot.folder.at("PG_VERSION"), "utf8")).trim();
    const { stdout } = await programs.run("postgres", ["--version"]);
    const found = / (\d+)/.exec(stdout)?.[1];
    if (found !== wanted)
      throw programsError(`the snapshot is of PostgreSQL ${wanted}, the programs in ${dir} are of ${found}`);
    return programs;
  }

  /** It can write to the snapshot, and to the folder `own` if there is one. */
  async run(program: Program, args: readonly string[], own?: string): Promise<ExecResult> {
    const file = path.join(this.#dir, program);
    try {
      await access(file, constants.X_OK);
    } catch (error) {
      throw programsError(`the program ${file} does not exist`, { cause: error });
    }
    // If holdstill is killed, the program must end.
    const asOwner = [...this.#become(), "--no-new-privs", "--pdeathsig", "TERM", "--", file, ...args];
    const { places } = this.#snapshot;
    const writable = [...places.map(({ place }) => place), ...(own === undefined ? [] : [own])];
    const options = { cwd: "/", writable, priority: "background" } as const;
    if (places.length === 1) return await this.#ctx.exec("setpriv", asOwner, options);
    const there = places.filter(({ original }) => existsSync(original));
    const mounts = there.flatMap(({ original, place }) => [place, original]);
    const { outer, inner } = namespaces();
    const inNamespace = [
      ...outer,
      "--",
      "sh",
      "-euc",
      mountAndRun,
      "sh",
      ...mounts,
      "--",
      ...inner,
      "setpriv",
      ...asOwner,
    ];
    return await this.#ctx.exec("unshare", inNamespace, options);
  }

  #become(): string[] {
    const { uid, gid } = this.#snapshot.owner;
    return isRoot() ? ["--reuid", `${uid}`, "--regid", `${gid}`, "--clear-groups"] : [];
  }
}

/**
 * An ordinary user may mount in a user namespace in which that user is root. A second one maps the user back, because a server does
 * not run as root (user_namespaces(7)).
 */
function namespaces(): { outer: string[]; inner: string[] } {
  const mount = ["--mount", "--propagation", "private"];
  if (isRoot()) return { outer: mount, inner: [] };
  const self = [`--map-user=${process.getuid?.()}`, `--map-group=${process.getgid?.()}`];
  return { outer: ["--user", "--map-root-user", ...mount], inner: ["unshare", "--user", ...self, "--"] };
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function programsError(message: string, options?: ErrorOptions): PluginError {
  const hint = "Install the server's programs, or give their folder with the option binDir.";
  return new PluginError("PG_PROGRAMS", message, hint, options);
}
