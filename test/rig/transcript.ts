import { isEnd, plan, step, type Actor, type Effect, type Event, type State } from "#core/transaction/machine.js";
import type { Member } from "#core/transaction/state.js";
import type { CriticalSection, Fault, HoldPoint } from "#core/base/schema/types.js";

/**
 * A story of the machine as text. Lines at the margin are written by the author: a title after `#`, the cast, the events. What the
 * machine makes of each event stands indented below it: `>` what is to be done, `=` where everybody stands.
 */
export function perform(text: string): { text: string; state: State } {
  const lines: string[] = [];
  const actors: Actor[] = [];
  let state = plan([]);
  let started = false;
  for (const line of text.split("\n").filter((one) => /^\S/.test(one))) {
    const cast =
      /^(\S+): (writer|provider)(?:, (required|best-effort), (front-end|back-end|system)(, repairs)?)?$/.exec(line);
    if (line.startsWith("#")) lines.push(line);
    else if (cast !== null) {
      actors.push(actorOf(cast));
      state = plan(actors);
      lines.push(line);
    } else {
      const { state: next, effects } = step(state, parseEvent(line));
      state = next;
      if (!started) lines.push("");
      started = true;
      lines.push(line, ...effects.map((effect) => `  > ${tellEffect(effect)}`), `  = ${tellState(state)}`);
    }
  }
  return { text: `${lines.join("\n")}\n`, state };
}

const levels = ["front-end", "back-end", "system"] as const;

function actorOf([, id = "", role, policy, level, repairs]: RegExpExecArray): Actor {
  if (role === "provider") return { id, role, policy: "required", level: 0, repairs: false };
  const rank = levels.findIndex((name) => name === level) as Actor["level"];
  return {
    id,
    role: "writer",
    policy: policy === "best-effort" ? policy : "required",
    level: rank,
    repairs: repairs !== undefined,
  };
}

function parseEvent(line: string): Event {
  const [, what = "", reason] = /^(.*?)(?:: (.*))?$/.exec(line) ?? [];
  const fault: Fault = { code: "E_STORY", message: reason ?? "" };
  switch (what) {
    case "start":
    case "armed":
    case "held":
    case "recorded":
      return { is: what };
    case "released":
      return { is: "released", fault: reason === undefined ? null : fault };
    case "hold failed":
      return { is: "hold-failed", fault };
    case "record failed":
      return { is: "record-failed", fault };
    case "interrupted":
      return { is: "interrupted", fault };
    default:
      return parseAnswer(what, reason, fault, line);
  }
}

function parseAnswer(what: string, reason: string | undefined, fault: Fault, line: string): Event {
  const [actor = "", verb = ""] = what.split(" ");
  switch (verb) {
    case "prepared":
      return { is: verb, actor, section: reason === undefined ? null : parseSection(reason) };
    case "frozen":
      return { is: verb, actor, token: `token of ${actor}` };
    case "committed":
    case "thawed":
    case "sealed":
    case "recovered":
    case "undone":
      return { is: verb, actor };
    case "failed":
      return { is: verb, actor, fault };
    default:
      throw new SyntaxError(`not an event: ${line}`);
  }
}

/** `hold fs /srv, hold dm vg0-data, commit`. */
function parseSection(text: string): CriticalSection {
  const words = text.split(", ").map((part) => part.split(" "));
  const hold = words.flatMap(([verb, kind, name = ""]): HoldPoint[] => {
    if (verb !== "hold") return [];
    return [kind === "dm" ? { kind, name } : { kind: "fs", mount: name }];
  });
  return { hold, commit: words.some(([verb]) => verb === "commit") ? [{ op: "plugin" }] : [] };
}

function tellEffect(effect: Effect): string {
  switch (effect.do) {
    case "call":
      return `${effect.op} ${effect.actor}${effect.token === null ? "" : ` with ${JSON.stringify(effect.token)}`}`;
    case "cancel":
      return `cancel ${effect.actor}`;
    case "arm":
      return `arm ${effect.section.points.map((p) => (p.kind === "dm" ? `dm ${p.name}` : `fs ${p.mount}`)).join(", ")}`;
    case "hold":
    case "release":
    case "record":
      return effect.do;
  }
}

function tellState(state: State): string {
  const details = [
    state.at,
    ...("level" in state ? [levels[state.level] ?? ""] : []),
    ...("held" in state && state.held ? ["held"] : []),
    ...("stage" in state ? [state.stage] : []),
    ...("cause" in state ? [`because ${state.cause.message}`] : []),
  ];
  const end = isEnd(state) ? " (end)" : "";
  return `${details.join(", ")}${end} | ${state.cast.map(tellMember).join(", ")}`;
}

function tellMember({ actor, standing }: Member): string {
  switch (standing.at) {
    case "busy":
      return `${actor.id} busy with ${standing.op}`;
    case "ready":
      return `${actor.id} ready after ${standing.after}`;
    case "failed":
      return `${actor.id} failed in ${standing.op}: ${standing.fault.message}`;
    case "undone":
      return `${actor.id} undone${standing.fault === null ? "" : ` after: ${standing.fault.message}`}`;
    case "residue":
      return `${actor.id} residue: ${standing.fault.message}`;
    case "idle":
    case "frozen":
      return `${actor.id} ${standing.at}`;
  }
}
