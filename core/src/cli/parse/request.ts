import type { SnapshotRequest } from "../../plan/plan.js";
import { hasControlCharacters } from "../../base/display/visible.js";
import type { Options } from "./command.js";
import { UsageError } from "./usage-error.js";

/** What plan, create, and run have in common. */
export const targets = [{ name: "TARGET", repeat: "at-least-once" }] as const;
export const targetsAbout = "A TARGET is a path, a mount point, a block device, or writer:INSTANCE.";
const levels = ["application", "filesystem", "crash", "none"] as const;
export const planOptions = {
  require: {
    type: "text",
    value: "LEVEL",
    choices: levels,
    about: "refuse a plan below application, filesystem, or crash; none also accepts an inconsistent copy of a writer",
  },
  "include-root": {
    type: "flag",
    about: "also hold volumes that carry /, holdstill, or its state: last, and released first",
  },
} as const satisfies Options;
const repairTimes = ["inline", "later", "never"] as const;
export const setOptions = {
  ...planOptions,
  name: { type: "text", value: "NAME", about: "a name for the set" },
  tag: { type: "list", value: "KEY=VALUE", about: "stored with the set; may be repeated" },
  repair: {
    type: "text",
    value: "WHEN",
    choices: repairTimes,
    about:
      "when writers repair the snapshots: inline, before the set is complete; later, by `holdstill repair`; or never",
  },
} as const satisfies Options;

/** What complete and run have in common. */
export const typeOption = {
  type: "text",
  choices: ["copy", "full"],
  about: "full: the writers may truncate their logs. copy, the default, leaves logs unchanged",
} as const;

export function requestOf(
  operands: readonly string[],
  values: {
    require: (typeof levels)[number] | undefined;
    "include-root": boolean;
    name?: string | undefined;
    tag?: readonly string[];
    repair?: (typeof repairTimes)[number] | undefined;
  },
): SnapshotRequest {
  const { require: level, "include-root": includeRoot, name, tag = [], repair } = values;
  for (const [option, text] of [["--name", name ?? ""] as const, ...tag.map((one) => ["--tag", one] as const)])
    refuseControlCharacters(option, text);
  return {
    targets: operands,
    ...(level === undefined ? {} : { require: level }),
    ...(name === undefined ? {} : { name }),
    ...(includeRoot ? { includeRoot } : {}),
    ...(repair === undefined ? {} : { repair }),
    tags: tagsOf(tag),
  };
}

export function tagsOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.map((text) => tagOf(text)));
}

function tagOf(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new UsageError(`\`${text}\` is not a tag.`, "Write --tag KEY=VALUE, once for each tag.");
}

/** A set's name and tags are shown in every list. */
function refuseControlCharacters(option: string, text: string): void {
  if (!hasControlCharacters(text)) return;
  throw new UsageError(`${option} has a control character in it: \`${text}\`.`, "Use visible characters only.");
}
