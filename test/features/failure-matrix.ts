/**
 * Every phase of the table × faults × who × where it runs, through the real command line. After each: nothing is frozen,
 * nothing partial is left or it is journaled, the culprit is named, the exit code is right, the next transaction works.
 */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { PluginOp } from "#core/host/isolation/operations.js";
import type { WorkerRuntime } from "#core/host/isolation/session.js";
import { open } from "holdstill";
import type { TransactionResult } from "#core/engine/types.js";
import type { Fault as Wrong, SnapshotSet } from "#core/base/schema/types.js";
import { type PhaseName, phases } from "#core/transaction/phases.js";
import type { Fault, Misbehaviour, WireFault } from "../support/fixture/misbehaving-plugins.js";
import { wholeMatrix } from "../support/whole-matrix.js";
import { patientLimits, type Roles, Scene } from "../support/fixture/scene.js";

/** Tried in each phase. */
const principal: Record<WorkerRuntime, readonly Any[]> = {
  thread: ["throws", "hangs", "exits"],
  process: ["exits"],
  executable: ["hangs"],
};
type Any = Fault | WireFault;
const inAny: readonly Any[] = ["throws", "hangs", "exits", "spins", "blocks", "out-of-memory", "nonsense", "late"];
const inNode: readonly Any[] = [...inAny, "rejects-non-error", "rejects-null", "rejects-unhandled", "uncloneable"];
const inProgram: readonly Any[] = [...inAny, "writes-garbage", "writes-half", "answers-another", "closes-stdout"];
/** Tried in turn: each in some phases of each role. `npm run matrix` tries all in all. */
const others: Record<WorkerRuntime, readonly Any[]> = { thread: inNode, process: inNode, executable: inProgram };
/** How many of these a phase gets. */
const turnsOf: Record<WorkerRuntime, number> = { thread: 1, process: 1, executable: 1 };

type Role = "writer" | "provider";
const instance = { writer: "app", provider: "store" } as const;

/** The worst moment: frozen without having said so, not thawed although told to. */
const when: Partial<Record<PhaseName, "before" | "after">> = {
  thaw: "before",
  abort: "before",
  commit: "after",
  freeze: "after",
};

export function failureMatrix(runtime: WorkerRuntime): void {
  const turns = turnsOf[runtime];
  let turn = 0;
  for (const [phase, { actors, onFailure }] of Object.entries(phases) as [PhaseName, (typeof phases)[PhaseName]][]) {
    for (const role of actors.filter((actor): actor is Role => actor !== "keeper" && actor !== "cluster")) {
      describe(`a ${role} ${placeOf[runtime]}, in ${phase}`, { concurrency: 4 }, () => {
        const from = turn;
        turn += turns;
        const inTurn = others[runtime].filter((_, at, all) => isTurnOf(at, from, turns, all.length));
        for (const does of new Set([...principal[runtime], ...inTurn])) {
          it(`that ${does}: ${consequence[onFailure]}`, async (t) => {
            await outcomes[onFailure](new Play(t, role, phase, does, runtime));
          });
        }
      });
    }
  }
}

const placeOf: Record<WorkerRuntime, string> = {
  thread: "in a thread",
  process: "in a process",
  executable: "as a program",
};

/** Whether the fault at that place of the list is one of the next `turns`. */
function isTurnOf(at: number, from: number, turns: number, all: number): boolean {
  return wholeMatrix || (at + all - (from % all)) % all < turns;
}

const consequence = {
  stop: "is named, and nothing was touched",
  abort: "is named, and everything is undone",
  degrade: "lowers the consistency, and the application goes on",
  residue: "leaves residue that recover removes",
  report: "is reported, and changes nothing",
} as const;

/** One case: the misbehaving plugin, and the question whether all is well onEnd. */
class Play {
  readonly stage: Scene;
  readonly role: Role;
  readonly roles: Roles;
  /** Without its only provider a request is refused. */
  readonly exitOfStop: 3 | 4;

  constructor(t: TestContext, role: Role, phase: PhaseName, does: Any, runtime: WorkerRuntime) {
    this.stage = new Scene(t);
    this.role = role;
    this.exitOfStop = role === "provider" ? 3 : 4;
    const op = (phase === "identify" && role === "provider" ? "match" : phase) as PluginOp;
    const wrong: Misbehaviour = { in: op, does, when: when[phase] ?? "after", delayMs: 5000 };
    this.roles = { runtime, [role]: phase === "repair" ? { ...wrong, repair: "always" } : wrong };
  }

  create(roles: Roles = this.roles) {
    return this.stage.run(["create", "writer:app", "--json"], roles);
  }

  isNamed(text: string | undefined): void {
    assert.match(text ?? "", new RegExp(`\`${instance[this.role]}\``), "the culprit is named");
  }

  isClean(): void {
    assert.equal(this.stage.isFrozen(), false, "the application goes on");
    assert.deepEqual(this.stage.stored(), [], "nothing is left in the storage");
  }

  async nextWorks(): Promise<void> {
    // Nothing misbehaves here, and a busy machine is no fault.
    const holdstill = await open({ config: this.stage.configFile({ limits: patientLimits }) });
    const next = await holdstill.create({ targets: ["writer:app"] });
    assert.equal(next.set?.consistency, "application", JSON.stringify(next));
    assert.equal(this.stage.isFrozen(), false);
  }
}

const outcomes: Record<(typeof phases)[PhaseName]["onFailure"], (play: Play) => Promise<void>> = {
  async stop(play) {
    const ran = await play.create();
    assert.equal(ran.exitCode, play.exitOfStop, ran.stdout + ran.stderr);
    play.isNamed((ran.json() as { error: Wrong }).error.message);
    play.isClean();
    await play.nextWorks();
  },

  async abort(play) {
    const ran = await play.create();
    assert.equal(ran.exitCode, 4, ran.stdout + ran.stderr);
    const { error, residue } = ran.json() as TransactionResult;
    play.isNamed(error?.message);
    assert.deepEqual(residue, []);
    play.isClean();
    await play.nextWorks();
  },

  async degrade(play) {
    const ran = await play.create();
    assert.equal(ran.exitCode, 5, ran.stdout + ran.stderr);
    const { set } = ran.json() as TransactionResult;
    assert.equal(set?.consistency, "none");
    play.isNamed(set?.writers[0]?.reason);
    assert.equal(play.stage.isFrozen(), false);
    await play.nextWorks();
  },

  async residue(play) {
    const trigger: Roles =
      play.role === "writer"
        ? { provider: { in: "commit", does: "throws" } }
        : { writer: { in: "freeze", does: "throws" } };
    const ran = await play.create({ ...trigger, ...play.roles });
    assert.equal(ran.exitCode, 6, ran.stdout + ran.stderr);
    const { residue } = ran.json() as TransactionResult;
    assert.deepEqual(
      residue.map((left) => left.actor),
      [instance[play.role]],
    );
    play.isNamed(residue[0]?.error.message);

    const recovered = await play.stage.run(["recover", "--yes", "--json"]);
    assert.equal(recovered.exitCode, 0, recovered.stdout + recovered.stderr);
    play.isClean();
    await play.nextWorks();
  },

  async report(play) {
    const { set } = (await play.create({})).json() as TransactionResult;
    const ran = await play.stage.run(["complete", set?.id ?? "", "--succeeded", "--json"], play.roles);
    const answer = ran.json() as { set: SnapshotSet; failed: { writer: string; error: Wrong }[] };
    assert.equal(ran.exitCode, 4, ran.stdout + ran.stderr);
    play.isNamed(answer.failed[0]?.error.message);
    assert.equal(answer.set.outcome?.succeeded, true);
    await play.nextWorks();
  },
};
