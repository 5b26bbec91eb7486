import { bytes, count, duration, instant } from "../../../base/display/units.js";
import type { SetList, Snapshot, SnapshotSet, Verification } from "../../../base/schema/types.js";
import { freezeMethod } from "../../../base/display/freeze-method.js";
import { backupWords } from "../../../base/display/verdict.js";
import { classed, element, lines, htmlTable } from "./element.js";

/** Newest first. */
export function setTable({ sets, damaged }: SetList): HTMLElement {
  const unread =
    damaged.length === 0
      ? ""
      : classed("bad", `${count(damaged.length, "record")} cannot be read: run holdstill list.`);
  if (sets.length === 0) return element("div", {}, element("p", {}, "There are no sets."), unread);
  const heads = ["Set", "Of", "Consistency", "Frozen for", "Snapshots", "State"];
  return element("div", {}, htmlTable("Sets", heads, sets.toReversed().map(rowOf)), unread);
}

const classes = { application: "good", filesystem: "warn", crash: "warn", none: "bad" } as const;

function rowOf(set: SnapshotSet): HTMLElement[] {
  const { id, name, createdAt, targets, consistency, cut, frozenMs, snapshots } = set;
  const method = freezeMethod(set);
  const names = name === undefined ? [element("code", {}, id)] : [element("b", {}, name), element("code", {}, id)];
  return [
    lines(...names, classed("faint", instant(createdAt))),
    lines(...targets),
    lines(classed(classes[consistency], consistency), classed("faint", `cut ${cut}`)),
    lines(frozenMs === 0 ? "not at all" : duration(frozenMs), ...(method === "" ? [] : [classed("faint", method)])),
    lines(...snapshots.map(({ by, snapshot }) => partsOf(by.instance, snapshot))),
    lines(...statesOf(set)),
  ];
}

function partsOf(provider: string, { method, bytes: size }: Snapshot): string {
  return [provider, method, size === undefined ? undefined : bytes(size)].filter((one) => one !== undefined).join(" ");
}

function backupOf(outcome: NonNullable<SnapshotSet["outcome"]>): HTMLElement {
  const words = backupWords(outcome);
  return outcome.succeeded ? classed("good", `✓ ${words}`) : classed("bad", `✗ ${words}`);
}

function statesOf({ exposed = [], lease, retainUntil, verified = [], outcome }: SnapshotSet): HTMLElement[] {
  const states = [
    exposed.length === 0 ? null : classed("warn", "exposed"),
    lease === undefined ? null : classed("", "leased"),
    retainUntil === undefined ? null : classed("", `retained until ${instant(retainUntil)}`),
    ...verified.map((one) => verificationOf(one)).filter((one) => one !== null),
    verified.length > 0 && verified.every(({ result }) => result === "opens") ? classed("good", "✓ verified") : null,
    outcome === undefined ? null : backupOf(outcome),
  ].filter((one) => one !== null);
  return states.length === 0 ? [classed("faint", "unused")] : states;
}

function verificationOf(one: Verification): HTMLElement | null {
  const subject = "writer" in one ? one.writer : one.device;
  switch (one.result) {
    case "opens":
      return null;
    case "does-not-open":
      return classed("bad", `✗ ${subject} could not open it`);
    case "not-examined":
      return classed("warn", `${subject} could not examine it`);
  }
}
