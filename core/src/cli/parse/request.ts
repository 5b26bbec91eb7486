import type { SnapshotRequest } from "../../plan/plan.js";
import type { BackupOutcome } from "../../host/contract/writer.js";
import type { Options } from "./command.js";
import { UsageError } from "./usage-error.js";
import { hasControlCharacters } from "../../base/display/visible.js";

const levels = ["application", "filesystem", "crash"] as const;
type Level = (typeof levels)[number];

/** What plan and create have in common. */
export const targets = { name: "TARGET", min: 1, max: Infinity } as const;
export const planOptions = {
  require: { type: "text", value: "LEVEL", about: "refuse what is below: application, filesystem or crash" },
  "include-root": { type: "flag", about: "hold also what carries /, holdstill or its state; last, and released first" },
} as const satisfies Options;
export const setOptions = {
  ...planOptions,
  name: { type: "text", value: "NAME", about: "a name for the set" },
  tag: { type: "list", value: "KEY=VALUE", about: "kept with the set; may be given several times" },
} as const satisfies Options;
export const targetsAbout = "A TARGET is a path, a mount point, a block device, or writer:INSTANCE.";

export function requestOf(
  operands: readonly string[],
  values: { require: string | undefined; "include-root": boolean; name?: string | undefined; tag?: readonly string[] },
): SnapshotRequest {
  const { require: level, "include-root": includeRoot, name, tag = [] } = values;
  for (const [option, text] of [["--name", name ?? ""] as const, ...tag.map((one) => ["--tag", one] as const)])
    refuseSteering(option, text);
  return {
    targets: operands,
    ...(level === undefined ? {} : { require: levelOf(level) }),
    ...(name === undefined ? {} : { name }),
    ...(includeRoot ? { includeRoot } : {}),
    tags: tagsOf(tag),
  };
}

/** What the writers are told that was made. */
export function backupType(text: string): BackupOutcome["type"] {
  if (text === "copy" || text === "full") return text;
  const known = ["copy", "full"];
  throw new UsageError(`There is no type of backup \`${text}\`.`, "Write --type copy or --type full.", {
    word: text,
    known,
  });
}

function levelOf(text: string): Level {
  const level = levels.find((one) => one === text);
  if (level !== undefined) return level;
  throw new UsageError(`There is no consistency \`${text}\`.`, `The levels are ${levels.join(", ")}.`, {
    word: text,
    known: levels,
  });
}

export function tagsOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.map((text) => tagOf(text)));
}

function tagOf(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new UsageError(`\`${text}\` is no tag.`, "Write --tag KEY=VALUE, once for each tag.");
}

/** A set's name and tags are shown in every list. */
function refuseSteering(option: string, text: string): void {
  if (!hasControlCharacters(text)) return;
  throw new UsageError(
    `${option} has a control character in it: \`${text}\`.`,
    "Write it with visible characters only.",
  );
}
