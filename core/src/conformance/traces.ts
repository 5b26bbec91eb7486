import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { entriesOf } from "../host/manifest/folder.js";
import { type ConformanceCheck, CheckFailure, Skip } from "./check.js";
import { attached, contentOf, news, type Process } from "./residue.js";
import type { PluginRig } from "./rig.js";
import { reveals } from "./secrets.js";

/** What there was before the plugin was tried, to be compared with what there is afterwards. */
export class Traces {
  readonly rig: PluginRig;
  readonly #processes: readonly number[];
  readonly #plugin: ReadonlyMap<string, string>;
  readonly #watched: ReadonlyMap<string, string>;
  #attached: readonly string[];

  private constructor(rig: PluginRig, plugin: ReadonlyMap<string, string>, watched: ReadonlyMap<string, string>) {
    this.rig = rig;
    this.#processes = rig.processes.descendants().map(({ pid }) => pid);
    this.#plugin = plugin;
    this.#watched = watched;
    this.#attached = attached(placesOf(rig));
  }

  static async of(rig: PluginRig): Promise<Traces> {
    return new Traces(rig, await contentOf(rig.subject.dir), await contentOfAll(rig.fixture.watch ?? []));
  }

  /** The fixture was set up anew: its mounts are others now. */
  renew(): void {
    this.#attached = attached(placesOf(this.rig));
  }

  /** What the plugin left running, after 1 s at most. */
  async processes(): Promise<Process[]> {
    const left = (): Process[] => this.rig.processes.descendants(this.#processes).filter(({ by }) => by === "other");
    for (let tries = 20; tries > 0 && left().length > 0; tries -= 1) await sleep(50);
    return left();
  }

  async temporary(): Promise<string[]> {
    return [...(await contentOf(this.rig.temp)).keys()];
  }

  async inPluginFolder(): Promise<string[]> {
    return news(this.#plugin, await contentOf(this.rig.subject.dir));
  }

  /** New files in the watched folders; those of what is mounted there too. */
  async files(): Promise<string[]> {
    const now = await contentOfAll(this.rig.fixture.watch ?? []);
    return [...now.keys()].filter((file) => !this.#watched.has(file));
  }

  mounts(): string[] {
    return attached(placesOf(this.rig)).filter((what) => !this.#attached.includes(what));
  }
}

const placesOf = ({ base, fixture }: PluginRig): string[] => [base, ...(fixture.watch ?? [])];

async function contentOfAll(folders: readonly string[]): Promise<Map<string, string>> {
  const contents = await Promise.all(folders.map((folder) => contentOf(folder)));
  return new Map(contents.flatMap((content) => [...content]));
}

const group = "What is left";
const needs = ["loads"];

function refuse(what: string, left: readonly string[]): void {
  if (left.length > 0)
    throw new CheckFailure(`${what}: ${left.slice(0, 5).join("; ")}${left.length > 5 ? "; …" : ""}.`);
}

export const traceChecks: readonly ConformanceCheck<Traces>[] = [
  {
    name: "leaves-no-process",
    group,
    title: "No process that the plugin started is left.",
    next: "Run programs with ctx.exec: the host ends them with the call. A process that must run longer belongs to the application.",
    needs,
    async run(traces) {
      const left = await traces.processes();
      for (const { pid } of left) process.kill(pid, "SIGKILL");
      refuse(
        "Still running",
        left.map(({ pid, command }) => `${command} (${pid})`),
      );
    },
  },
  {
    name: "leaves-no-temporary-file",
    group,
    title: "No temporary file is left.",
    next: "Remove it in the call that made it, also if that is cut off. Or store it in ctx.dataDir, where abort finds it.",
    needs,
    run: async (traces) => refuse("In the temporary folder", await traces.temporary()),
  },
  {
    name: "leaves-its-folder-alone",
    group,
    title: "The plugin's folder is unchanged.",
    next: "Write to ctx.dataDir. If a lock file pins the plugin, it is refused when its folder changes.",
    needs,
    run: async (traces) => refuse("Written", await traces.inPluginFolder()),
  },
  {
    name: "leaves-no-mount",
    group,
    title: "No mount and no loop device is left.",
    next: "In unexpose and in abort, undo what expose and prepare attached.",
    needs,
    run: (traces) => refuse("Left", traces.mounts()),
  },
  {
    name: "leaves-no-file",
    group,
    title: "No file is left in the watched folders.",
    next: "In abort and in remove, remove what the transaction made.",
    needs,
    async run(traces) {
      if (traces.rig.fixture.watch === undefined) throw new Skip("conformance.json has no `watch`");
      refuse("Left", await traces.files());
    },
  },
  {
    name: "keeps-secrets",
    group,
    title: "No secret of the options is in a log line, in a result, or in a file of a sidecar.",
    next: "Do not log or store all options, or a command line or an address that contains a password.",
    needs,
    async run({ rig }) {
      const { secrets } = rig;
      if (secrets.length === 0) throw new Skip("the options that the plugin is tested with have no secret");
      const sidecars = (await entriesOf(rig.sidecars)).filter(({ stats }) => stats.isFile());
      const texts = [...rig.output, ...sidecars.map(({ file }) => readFileSync(file, "latin1"))];
      const leaked = secrets.filter((secret) => texts.some((text) => reveals(text, secret)));
      refuse(
        "Shown",
        leaked.map(({ name }) => `the value of ${name}`),
      );
    },
  },
];
