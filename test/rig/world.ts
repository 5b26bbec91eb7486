import assert from "node:assert/strict";
import {
  isEnd,
  plan,
  residueOf,
  step,
  type Effect,
  type Event,
  type Op,
  type State,
} from "#core/transaction/machine.js";
import { answer, type Player, type Turn } from "./player.js";
import { isForHost } from "#core/keeper/commit-ops.js";
import type { CriticalSection, Fault } from "#core/base/schema/types.js";

type Pending =
  | { of: "call"; actor: string; op: Op }
  | { of: "arm" }
  | { of: "hold" }
  | { of: "release" }
  | { of: "record" };

const fault: Fault = { code: "E_WORLD", message: "it failed" };

/**
 * The world that the machine acts on: it keeps books of its own of what is frozen and what is held, and says at once when an
 * effect must not happen. It never looks at where the machine believes that somebody stands.
 */
export class World {
  state: State;
  readonly effects: Effect[] = [];
  /** Whether anything at all went wrong. */
  spotless = true;
  /** Whether something went wrong that ends a transaction. */
  fatal = false;
  readonly #players: ReadonlyMap<string, Player>;
  readonly #frozen = new Set<string>();
  /** Writers that the machine has reason to think frozen: they said so, or failed and were not undone yet. */
  readonly #suspected = new Set<string>();
  readonly #asked = new Set<string>();
  readonly #cancelled = new Set<string>();
  /** What went well, and what failed: `freeze db`. */
  readonly #well = new Set<string>();
  readonly #badly = new Set<string>();
  #armed = false;
  #held = false;
  #holdConfirmed = false;
  #pending: Pending[] = [];

  constructor(players: readonly Player[]) {
    this.#players = new Map(players.map((player) => [player.id, player]));
    this.state = plan(players.map(({ id, role, policy, level, repairs }) => ({ id, role, policy, level, repairs })));
  }

  /** Plays until the end. When the turns are used up everything goes well. */
  play(turns: readonly Turn[]): void {
    const rest = [...turns];
    if (rest[0]?.what === "interrupt") this.#interrupt();
    else this.#dispatch({ is: "start" });
    for (let played = 0; !isEnd(this.state); played += 1) {
      assert.ok(played < 1000, "the run does not end");
      const turn = rest.shift() ?? { what: "settle", pick: 0, ok: true, done: true };
      if (turn.what === "interrupt") this.#interrupt();
      else this.#settle(turn);
    }
    this.#judge();
  }

  #interrupt(): void {
    this.spotless = false;
    this.fatal = true;
    this.#dispatch({ is: "interrupted", fault });
  }

  #settle(turn: Turn): void {
    assert.ok(this.#pending.length > 0, `nothing is pending, and the machine waits in ${this.state.at}`);
    const [one] = this.#pending.splice(turn.pick % this.#pending.length, 1);
    if (one === undefined) return;
    if (!turn.ok) this.spotless = false;
    if (one.of === "call") this.#settleCall(one, turn);
    else this.#dispatch(this.#settleCore(one.of, turn));
  }

  #settleCore(of: "arm" | "hold" | "release" | "record", { ok }: Turn): Event {
    if (!ok) this.fatal = true;
    this.#note(of, ok);
    switch (of) {
      case "arm":
        this.#armed = ok;
        return ok ? { is: "armed" } : { is: "hold-failed", fault };
      case "hold":
        this.#holdConfirmed = ok;
        return ok ? { is: "held" } : { is: "hold-failed", fault };
      case "release":
        // The keeper lets go whatever happens; a fault says that it had to do so too early. A hold still to come never will.
        this.#held = false;
        this.#pending = this.#pending.filter((one) => one.of !== "hold");
        return { is: "released", fault: ok ? null : fault };
      case "record":
        return ok ? { is: "recorded" } : { is: "record-failed", fault };
    }
  }

  #settleCall({ actor, op }: Extract<Pending, { of: "call" }>, { ok, done }: Turn): void {
    const player = this.#player(actor);
    this.#cancelled.delete(actor);
    this.#note(`${op} ${actor}`, ok);
    if (op === "freeze" && (ok || done)) this.#frozen.add(actor);
    if ((op === "thaw" || op === "abort") && (ok || done)) this.#frozen.delete(actor);
    if (op === "freeze") this.#suspected.add(actor);
    // After an abort that failed there is nobody left to be asked: it is residue.
    if (op === "abort" || (op === "thaw" && ok)) this.#suspected.delete(actor);
    if (!ok && player.policy === "required" && op !== "thaw" && op !== "recover" && op !== "abort") this.fatal = true;
    this.#dispatch(ok ? answer(player, op) : { is: "failed", actor, fault });
  }

  #note(what: string, ok: boolean): void {
    (ok ? this.#well : this.#badly).add(what);
  }

  #dispatch(event: Event): void {
    const { state, effects } = step(this.state, event);
    this.state = state;
    for (const effect of effects) this.#perform(effect);
    if (state.at !== "undoing") return;
    for (const one of this.#pending) {
      if (one.of !== "call" || one.op === "thaw" || one.op === "abort") continue;
      assert.ok(
        this.#cancelled.has(one.actor),
        `${one.op} of ${one.actor} goes on though the transaction turned round`,
      );
    }
    // A record that was not begun is not written any more, and nobody waits for a keeper that is being armed.
    this.#pending = this.#pending.filter((one) => one.of !== "record" && one.of !== "arm");
  }

  #perform(effect: Effect): void {
    this.effects.push(effect);
    switch (effect.do) {
      case "call":
        this.#allow(this.#player(effect.actor), effect.op, effect.token);
        this.#asked.add(effect.actor);
        this.#pending.push({ of: "call", actor: effect.actor, op: effect.op });
        return;
      case "cancel": {
        const op = this.#calls().find((call) => call.actor === effect.actor)?.op;
        assert.ok(op !== undefined && op !== "thaw" && op !== "abort", `cancel of ${effect.actor}, busy with ${op}`);
        this.#cancelled.add(effect.actor);
        return;
      }
      case "arm":
        assert.deepEqual(effect.section.points, this.#points(), "not all points that the providers named are armed");
        assert.ok(!this.#calls().some(({ op }) => op !== "abort"), "armed while calls are pending");
        assert.equal(this.#frozen.size, 0, "armed while somebody is frozen");
        this.#pending.push({ of: "arm" });
        return;
      case "hold":
        assert.ok(this.#armed, "held without being armed");
        assert.equal(this.#calls().length, 0, "plugin code runs while volumes are held");
        this.#held = true;
        this.#pending.push({ of: "hold" });
        return;
      case "release":
        assert.ok(this.#held && !this.#isPending("release"), "release of what is not held, or for the second time");
        this.#allowEndOfCut("release");
        this.#pending.push({ of: "release" });
        return;
      case "record":
        assert.equal(this.#calls().length, 0, "the record is written while calls are pending");
        this.#pending.push({ of: "record" });
    }
  }

  /** Whether this call may be made now. */
  #allow(player: Player, op: Op, token: unknown): void {
    const { id, role, level } = player;
    const calls = this.#calls();
    const writers = [...this.#players.values()].filter((other) => other.role === "writer");
    const asked = `${op} of ${id}`;
    assert.ok(!calls.some((call) => call.actor === id), `${asked} while another call of it is pending`);
    if (op === "commit") {
      assert.ok(!calls.some((call) => call.op === "freeze"), `${asked} before all freezes have settled`);
      for (const writer of writers)
        assert.ok(this.#settled(writer.id, "freeze"), `${asked} before ${writer.id} was frozen`);
      assert.equal(this.#holdConfirmed, this.#points().length > 0, `${asked} while nothing is held`);
      assert.ok(!this.#isPending("release"), `${asked} after release was asked`);
    } else assert.ok(!this.#held, `${asked} while volumes are held`);
    if (op === "freeze") {
      assert.equal(this.#armed, this.#points().length > 0, `${asked} before the keeper was armed`);
      for (const other of this.#players.keys())
        assert.ok(this.#settled(other, "prepare"), `${asked} before ${other} was prepared`);
      for (const writer of writers.filter((other) => other.level < level))
        assert.ok(this.#settled(writer.id, "freeze"), `${asked} before ${writer.id}, of a lower level`);
    }
    if (op === "thaw") {
      this.#allowEndOfCut(asked);
      assert.equal(token, `token of ${id}`, `${asked} without the token of its freeze`);
      const higher = writers.filter((other) => other.level > level);
      if (this.spotless)
        for (const writer of higher) assert.ok(this.#well.has(`thaw ${writer.id}`), `${asked} before ${writer.id}`);
    }
    if (op === "recover") {
      assert.ok(player.repairs, `${asked}, which has nothing to repair`);
      for (const other of this.#players.keys())
        assert.ok(this.#settled(other, "seal"), `${asked} before ${other} was sealed`);
    }
    if (op === "seal") assert.equal(this.#known().length, 0, `${asked} while ${this.#known().join()} is frozen`);
    if (op === "abort" && role === "provider")
      assert.equal(this.#suspected.size, 0, `${asked} while ${[...this.#suspected].join()} may be frozen`);
  }

  /** Unless all is given up, nobody goes on before the picture is taken. */
  #allowEndOfCut(asked: string): void {
    const commits = this.#calls().filter((call) => call.op === "commit");
    if (!this.fatal) assert.deepEqual(commits, [], `${asked} while a commit is pending`);
  }

  #judge(): void {
    const residue = residueOf(this.state).map(({ actor }) => actor);
    assert.ok(!this.#held, "something is held at the end");
    assert.deepEqual(this.#pending, [], "something is pending at the end");
    for (const id of this.#frozen) assert.ok(residue.includes(id), `${id} is frozen at the end, and no residue`);
    for (const id of residue) assert.ok(this.#badly.has(`abort ${id}`), `${id} is residue, and its abort did not fail`);
    if (this.state.at === "created") this.#judgeCreated();
    else {
      assert.ok(this.fatal, "aborted without a cause");
      for (const id of this.#asked)
        assert.ok(this.#well.has(`abort ${id}`) || residue.includes(id), `${id} was asked, and not aborted`);
    }
  }

  #judgeCreated(): void {
    assert.ok(!this.fatal, "created in spite of a failure");
    assert.ok(this.#well.has("record"), "created without a record");
    if (this.#points().length > 0)
      assert.ok(this.#well.has("hold") && this.#well.has("release"), "created without holds");
    for (const { id, role, policy, section, repairs } of this.#players.values()) {
      if (policy === "best-effort") continue;
      const degraded = this.#badly.has(`thaw ${id}`);
      const all: Op[] = role === "writer" ? ["prepare", "freeze", "thaw", "seal"] : ["prepare", "seal"];
      if (isForHost(section?.commit ?? [])) all.push("commit");
      if (repairs && !this.#badly.has(`recover ${id}`)) all.push("recover");
      const due: Op[] = degraded ? ["prepare", "freeze"] : all;
      for (const op of due) assert.ok(this.#well.has(`${op} ${id}`), `created without ${op} of ${id}`);
      if (degraded) assert.ok(this.#settled(id, "abort"), `created, and ${id}, which could not be thawed, not aborted`);
    }
  }

  /** It was asked and has answered, or takes no part any more. */
  #settled(id: string, op: Op): boolean {
    const out = [...this.#badly].some((what) => what.endsWith(` ${id}`));
    return out || this.#well.has(`${op} ${id}`);
  }

  /** Writers that said they are frozen, and were asked nothing since. */
  #known(): string[] {
    return [...this.#suspected].filter((id) => this.#well.has(`freeze ${id}`) && !this.#settled(id, "thaw"));
  }

  #points(): CriticalSection["hold"] {
    return [...this.#players.values()].flatMap(({ section }) => section?.hold ?? []);
  }

  #calls(): Extract<Pending, { of: "call" }>[] {
    return this.#pending.filter((one) => one.of === "call");
  }

  #isPending(of: Pending["of"]): boolean {
    return this.#pending.some((one) => one.of === of);
  }

  #player(id: string): Player {
    const found = this.#players.get(id);
    assert.ok(found, `nobody is called ${id}`);
    return found;
  }
}
