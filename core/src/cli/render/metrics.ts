import { lastTimes } from "../../store/history.js";
import type { PastTransaction, SnapshotSet } from "../../base/schema/types.js";

interface Metric {
  name: string;
  help: string;
  type: "gauge" | "counter";
  samples: { labels: Readonly<Record<string, string>>; value: number }[];
}

/** Figures for Prometheus, in its text format (exposition format 0.0.4). */
export function metricsText(past: readonly PastTransaction[], sets: readonly SnapshotSet[]): string {
  return [...transactions(past), ...runs(past), ...calls(past), ...writers(past), ...catalog(sets)]
    .map(metricText)
    .join("");
}

const seconds = (iso: string): number => Date.parse(iso) / 1000;

function transactions(past: readonly PastTransaction[]): Metric[] {
  const counts = new Map<string, number>();
  const culprits = new Map<string, number>();
  const last = new Map<string, number>();
  for (const { outcome, at, timeline } of past) {
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    last.set(outcome, seconds(at));
    const culprit = timeline.find((span) => span.outcome === "failed");
    if (culprit !== undefined) culprits.set(culprit.actor, (culprits.get(culprit.actor) ?? 0) + 1);
  }
  return [
    metric("transactions_total", "counter", "Transactions, by outcome.", counts, "outcome"),
    metric("last_transaction_timestamp_seconds", "gauge", "When a transaction last had this outcome.", last, "outcome"),
    metric("failures_total", "counter", "Transactions in which this plugin was the first to fail.", culprits, "actor"),
  ];
}

/** By the name of the set: when its backup last succeeded, and how the last command of `run` ended. */
function runs(past: readonly PastTransaction[]): Metric[] {
  const succeeded = new Map<string, number>();
  const codes = new Map<string, number>();
  for (const { name = "", backup } of past) {
    if (backup?.succeeded === true) succeeded.set(name, seconds(backup.at));
    if (backup?.command !== undefined) codes.set(name, backup.command.exitCode);
  }
  return [
    metric("run_last_success_timestamp_seconds", "gauge", "When the backup last succeeded.", succeeded, "name"),
    metric("run_last_exit_code", "gauge", "How the last command of `run` ended.", codes, "name"),
  ];
}

/** Of the newest transaction that has calls. */
function calls(past: readonly PastTransaction[]): Metric[] {
  const newest = past.findLast(({ timeline }) => timeline.length > 0);
  const spans = newest?.timeline ?? [];
  const each = (of: (span: (typeof spans)[number]) => number): Metric["samples"] =>
    spans.map((span) => ({ labels: { op: span.op, actor: span.actor }, value: of(span) / 1000 }));
  const about = "of the last transaction's calls, in seconds.";
  return [
    {
      name: "call_seconds",
      type: "gauge",
      help: `Duration ${about}`,
      samples: unique(each(({ from, to }) => to - from)),
    },
    {
      name: "call_limit_seconds",
      type: "gauge",
      help: `Limit ${about}`,
      samples: unique(each(({ limitMs }) => limitMs)),
    },
  ];
}

function writers(past: readonly PastTransaction[]): Metric[] {
  const frozen = [...lastTimes(past)].flatMap(([writer, { frozenMs }]) =>
    frozenMs === null ? [] : [[writer, frozenMs / 1000] as const],
  );
  return [metric("frozen_seconds", "gauge", "How long the writer was last frozen.", frozen, "writer")];
}

function catalog(sets: readonly SnapshotSet[]): Metric[] {
  const ages = sets.map(({ name = "", createdAt }) => [name, seconds(createdAt)] as const);
  const byName = new Map<string, number>();
  for (const [name] of ages) byName.set(name, (byName.get(name) ?? 0) + 1);
  const pending = new Map<string, number>();
  for (const { by, repair } of sets.flatMap(({ writers: all }) => all))
    if (repair?.state === "pending") pending.set(by.instance, (pending.get(by.instance) ?? 0) + 1);
  const bytes = new Map<string, number>();
  for (const { by, snapshot } of sets.flatMap(({ snapshots }) => snapshots))
    bytes.set(by.instance, (bytes.get(by.instance) ?? 0) + (snapshot.bytes ?? 0));
  return [
    metric("sets", "gauge", "Snapshot sets, by name.", byName, "name"),
    metric("newest_set_timestamp_seconds", "gauge", "When the newest set of that name was cut.", new Map(ages), "name"),
    metric("repairs_pending", "gauge", "Sets whose snapshots the writer has not repaired yet.", pending, "writer"),
    ...usage(sets),
    metric("snapshot_bytes", "gauge", "Size of the provider's snapshots, as far as known.", bytes, "provider"),
  ];
}

/** Only if the providers were asked. */
function usage(sets: readonly SnapshotSet[]): Metric[] {
  const used = new Map<string, number>();
  const lost = new Map<string, number>();
  const unseen = new Map<string, number>();
  for (const { by, snapshot } of sets.flatMap(({ snapshots }) => snapshots)) {
    if (snapshot.usage !== undefined) used.set(snapshot.usage.where, snapshot.usage.percent / 100);
    if (snapshot.lost !== undefined) lost.set(by.instance, (lost.get(by.instance) ?? 0) + 1);
    if (snapshot.unseen !== undefined) unseen.set(by.instance, (unseen.get(by.instance) ?? 0) + 1);
  }
  return [
    metric("snapshot_space_used_ratio", "gauge", "How full the space of the snapshots is.", used, "where"),
    metric("snapshots_lost", "gauge", "Snapshots that can no longer be read.", lost, "provider"),
    metric("snapshots_unseen", "gauge", "Snapshots that may exist, and could not be seen.", unseen, "provider"),
  ];
}

function metric(
  name: string,
  type: Metric["type"],
  help: string,
  values: Iterable<readonly [string, number]>,
  label: string,
): Metric {
  return { name, type, help, samples: [...values].map(([key, value]) => ({ labels: { [label]: key }, value })) };
}

/** Of a call that was made twice, the last time counts: Prometheus refuses two samples with one name. */
function unique(samples: Metric["samples"]): Metric["samples"] {
  return [...new Map(samples.map((sample) => [JSON.stringify(sample.labels), sample])).values()];
}

function metricText({ name, type, help, samples }: Metric): string {
  if (samples.length === 0) return "";
  const lines = samples.map(({ labels, value }) => {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
    return `holdstill_${name}{${pairs.join(",")}} ${value}\n`;
  });
  return `# HELP holdstill_${name} ${help}\n# TYPE holdstill_${name} ${type}\n${lines.join("")}`;
}

const escaped = (text: string): string =>
  text
    .replaceAll("\\", String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll("\n", String.raw`\n`);
