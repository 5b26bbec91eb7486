import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Who } from "../base/errors/details.js";
import { thisHost } from "../host/manifest/host.js";
import { commonProtocol } from "../host/manifest/judge.js";
import { operations } from "../host/isolation/operations.js";
import { startSession } from "../host/isolation/host/start-session.js";
import type {
  AnswerOf,
  ArgsOf,
  PluginOp,
  OpOf,
  PluginSpec,
  Role,
  Session,
} from "../host/isolation/host/start-session.js";
import type { Fixture, PluginManifest, Runtime } from "../base/schema/types.js";
import { CheckFailure, seenOf } from "./check.js";
import { filledIn } from "./fixture.js";
import type { CheckedSubject } from "./folder/folder.js";
import { attached, contentOf, FixtureProcesses } from "./residue.js";
import type { RigHooks } from "./rig-hooks.js";
import { type Secret, secretsIn } from "./secrets.js";
import { FixtureShell, type ShellResult } from "./shell.js";

/** How long a worker may take to load its plugin, ms: as for the host. */
const LOAD_MS = 30_000;
export const SETUP_MS = 120_000;
/** How long the probe is waited for: after this it counts as held up, ms. */
const PROBE_MS = 2000;
const MEMORY_MB = 128;

/** Everything that the plugin is tried with: folders, the fixture, workers. */
export class PluginRig {
  readonly subject: CheckedSubject;
  readonly fixture: Fixture;
  /** Absolute, without links; removed at the end. */
  readonly base: string;
  readonly work: string;
  readonly dataDir: string;
  /** Folders of sets, with what writers put there. */
  readonly sidecars: string;
  /** TMPDIR of the plugin. */
  readonly temp: string;
  runtime: Runtime = "thread";
  /** Everything that came from the plugin: results, errors, log lines, progress, output. */
  readonly output: string[] = [];
  /** The methods that the plugin has; known once it has been loaded. */
  offered: ReadonlySet<string> = new Set();
  readonly #sessions = new Set<Session>();
  /** A new worker in advance: most of a check's time is waiting for one. */
  #spare: Promise<Session> | null = null;
  /** As the plugin gets them. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Which processes are not the plugin's. */
  readonly processes = new FixtureProcesses();
  /** Why the fixture could not be renewed, after which no check means anything; null: it could. */
  obstacle: string | null = null;
  /** Longer pauses in a commit, so that what is not of one instant shows, ms. */
  stretchMs = 0;
  /** The suite is to end. */
  readonly signal: AbortSignal;
  readonly hooks: RigHooks;
  #isUp: "no" | "yes" = "no";
  readonly commands: FixtureShell;

  constructor(subject: CheckedSubject, signal: AbortSignal, hooks: RigHooks) {
    this.subject = subject;
    this.signal = signal;
    this.hooks = hooks;
    this.base = realpathSync(mkdtempSync(path.join(tmpdir(), "holdstill-check-")));
    // The application that the fixture starts may be another user.
    chmodSync(this.base, 0o755);
    const at = (name: string): string => path.join(this.base, name);
    [this.work, this.dataDir, this.temp] = [at("work"), at("data"), at("tmp")];
    mkdirSync(this.dataDir, { mode: 0o700 });
    mkdirSync(this.temp);
    // As /tmp: a server that the plugin starts may be another user.
    chmodSync(this.temp, 0o1777);
    this.sidecars = at("sets");
    mkdirSync(this.sidecars, { mode: 0o700 });
    mkdirSync(at("shown"));
    this.fixture = filledIn(subject.fixture, this.#variables());
    const env = { ...this.fixture.environment, ...this.#variables() };
    this.commands = new FixtureShell({ who: this.who, cwd: subject.dir, env, folder: this.base });
    const given = this.fixture.options ?? {};
    const checked = subject.valid.checkOptions(given, { file: "conformance.json" });
    this.options = checked.ok ? checked.value : given;
  }

  get manifest(): PluginManifest {
    return this.subject.valid.manifest;
  }

  get who(): Who {
    const { name, version, kind } = this.manifest;
    return { role: kind, instance: name, plugin: name, version };
  }

  /** What the plugin may run: as the host lets it. */
  get allowed(): Pick<PluginSpec, "commands" | "programs"> {
    const { commands = [], optionalCommands = [], programs = [] } = this.manifest.requires ?? {};
    return { commands: [...commands, ...optionalCommands], programs: programs.length === 0 ? "by-name" : "by-path" };
  }

  /** Secret values of the options, with their names. */
  get secrets(): Secret[] {
    return secretsIn(this.options, this.manifest.options);
  }

  /** Limit of a call, ms. */
  limit(op?: string): number {
    const ms = (this.fixture.limitSeconds ?? 10) * 1000;
    const freeze = this.manifest.limits?.freezeSeconds;
    return op === "freeze" && freeze !== undefined ? Math.min(ms, freeze * 1000) : ms;
  }

  /** Empties $WORK and sets the fixture up. Throws a Failure that has the command's output. */
  async setUp(): Promise<void> {
    this.#isUp = "yes";
    this.processes.begin();
    mkdirSync(this.work, { recursive: true });
    const { setup } = this.fixture;
    if (setup === undefined) return;
    const ran = await this.processes.during(() => this.commands.runSetup(setup, SETUP_MS));
    if (ran.is === "late") throw new CheckFailure(`setup did not end within ${SETUP_MS / 1000} s: ${ran.output}`);
    if (ran.exitCode !== 0) throw new CheckFailure(`setup exited with ${ran.exitCode}: ${ran.output}`);
    await this.processes.settle();
  }

  /** Sets up anew what was set up before, or for the first time. */
  async renew(): Promise<void> {
    await this.retire();
    if (this.#isUp !== "no") await this.tearDown();
    await this.setUp();
  }

  /** The same after a failed check. What goes wrong is an obstacle to all further checks. */
  async restore(): Promise<void> {
    try {
      await this.renew();
    } catch (error) {
      this.obstacle = `what the plugin is tested on could not be made anew: ${seenOf(error)}`;
    }
  }

  /** Answers what went wrong. */
  async tearDown(): Promise<string | null> {
    const { teardown } = this.fixture;
    const ran = teardown === undefined || this.#isUp === "no" ? null : await this.shell(teardown, SETUP_MS);
    for (const { pid, by } of this.processes.descendants()) if (by === "fixture") kill(pid);
    this.#isUp = "no";
    const left = this.#mounts();
    if (left.length === 0) rmSync(this.work, { recursive: true, force: true });
    if (ran?.is === "late") return `teardown did not end: ${ran.output}${this.commands.background}`;
    if (ran?.is === "ended" && ran.exitCode !== 0)
      return `teardown ended with ${ran.exitCode}: ${ran.output}${this.commands.background}`;
    return left.length === 0 ? null : `After teardown there is still a ${left.join(", a ")}.`;
  }

  /** Removes every folder of the run, except if something is mounted there: it may be other data. */
  remove(): void {
    if (this.#mounts().length === 0) rmSync(this.base, { recursive: true, force: true });
  }

  #mounts(): string[] {
    return attached([this.base]).filter((what) => what.startsWith("mount "));
  }

  /** Runs one of the fixture's commands, beside `setup`. */
  shell(text: string, limitMs: number): Promise<ShellResult> {
    return this.processes.during(() => this.commands.run(text, limitMs));
  }

  /** @param expected A probe that is expected to wait gets only a short time; any other may be slow. */
  probe(text: string, expected: "held" | "free"): Promise<ShellResult> {
    return this.shell(text, expected === "held" ? PROBE_MS : this.limit());
  }

  /** A blank worker with the plugin in it, until closeAll. */
  async start<R extends Role>(role: R): Promise<Session<R>> {
    const session = await this.startKept(role);
    this.#sessions.add(session as unknown as Session);
    return session;
  }

  /** One that the caller closes. */
  async startKept<R extends Role>(role: R): Promise<Session<R>> {
    const next = this.#spare ?? this.#launch();
    this.#spare = null;
    const session = await next;
    this.offered = new Set(Object.keys(operations[role]).filter((op) => session.offers(op as PluginOp)));
    this.#spare = this.#launch();
    // Who takes it learns of it.
    this.#spare.catch(() => {});
    return session as unknown as Session<R>;
  }

  #launch(): Promise<Session> {
    const { manifest } = this;
    const { dir } = this.subject;
    const hooks = {
      onLog: (level: string, message: string, fields?: Record<string, unknown>) => {
        const text = `${message} ${JSON.stringify(fields ?? {})}`;
        this.output.push(text);
        this.hooks.onLog(`${level}: ${fields === undefined ? message : text}`);
      },
      onProgress: (message: string) => {
        this.output.push(message);
        this.hooks.onLog(`progress: ${message}`);
      },
      beforeCommand: () => sleep(this.stretchMs),
    };
    const spec = {
      who: this.who,
      entry: path.join(dir, manifest.main),
      runtime: manifest.runtime === "executable" ? ("executable" as const) : this.runtime,
      memoryMb: manifest.limits?.memoryMb ?? MEMORY_MB,
      ...this.allowed,
      environment: this.#environment(),
      options: this.options,
      dataDir: this.dataDir,
      protocol: commonProtocol(manifest.protocol, thisHost()) ?? Math.max(...manifest.protocol),
    };
    return startSession(spec, hooks, LOAD_MS);
  }

  /** Makes a call within its limit, and checks the result. */
  async call<R extends Role, O extends OpOf<R>>(
    session: Session<R>,
    op: O,
    args: ArgsOf<R, O>,
  ): Promise<AnswerOf<R, O>> {
    try {
      const answer = await session.call(op, args, this.limit(op));
      this.output.push(JSON.stringify(answer ?? null));
      return answer;
    } catch (error) {
      this.output.push(seenOf(error));
      throw error;
    }
  }

  /** Ends all workers, and the one that waits. */
  async retire(): Promise<void> {
    const spare = this.#spare;
    this.#spare = null;
    await Promise.all([
      this.closeAll(),
      spare?.then(
        (session) => session.close(),
        () => {},
      ),
    ]);
  }

  /** Ends the workers that are in use. */
  async closeAll(): Promise<void> {
    const open = [...this.#sessions];
    this.#sessions.clear();
    await Promise.all(open.map((session) => session.close()));
  }

  /** Entries in the data folder. */
  async dataSize(): Promise<number> {
    return (await contentOf(this.dataDir)).size;
  }

  /** An empty folder of the run. */
  folder(kind: "sets" | "shown", name: string): string {
    const dir = path.join(this.base, kind, name);
    // A server that is started on a snapshot may be another user.
    mkdirSync(dir, { recursive: true, mode: kind === "shown" ? 0o755 : 0o700 });
    return dir;
  }

  #variables(): Record<string, string> {
    return { WORK: this.work, PLUGIN: this.subject.dir };
  }

  #environment(): Record<string, string> {
    const all = { ...process.env, ...this.fixture.environment };
    const handed = (this.manifest.requires?.environment ?? []).flatMap((name) => {
      const value = all[name];
      return value === undefined ? [] : [[name, value]];
    });
    return { ...(Object.fromEntries(handed) as Record<string, string>), TMPDIR: this.temp };
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // ESRCH: it has ended.
  }
}
