import { chmodSync, cpSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

/** A way to be wrong; see test/plugins-that-are-wrong. */
export interface Wrong {
  /** The check that must find it. */
  caughtBy: string;
  /** Checks that are to be done before, though it does not need them. */
  also?: readonly string[];
  /** Default: thread. */
  runtime?: "thread" | "process";
  manifest?: object;
  fixture?: object;
  needsRoot?: true;
  /** Of the folder. */
  mode?: number;
}

const root = path.resolve(import.meta.dirname, "../../..");
/** The plugins that `holdstill plugins new` makes. */
export const template = (kind: "writer" | "provider"): string => path.join(root, "core/template", kind);
const waysOf = (kind: "writer" | "provider"): string => path.join(root, "test/plugins-that-are-wrong", `${kind}s.js`);

export async function waysToBeWrong(kind: "writer" | "provider"): Promise<[string, Wrong][]> {
  const module = (await import(waysOf(kind))) as { wrong: Record<string, Wrong> };
  return Object.entries(module.wrong);
}

/** Writes the plugin that is wrong in this way into a folder. */
export function writeWrong(dir: string, kind: "writer" | "provider", way: string, wrong: Wrong): void {
  for (const file of ["plugin.json", "conformance.json"]) {
    const right: unknown = JSON.parse(readFileSync(path.join(template(kind), file), "utf8"));
    const changes = file === "plugin.json" ? wrong.manifest : wrong.fixture;
    writeFileSync(path.join(dir, file), JSON.stringify(merged(right, changes ?? {})));
  }
  cpSync(path.join(template(kind), "index.js"), path.join(dir, "right.js"));
  cpSync(waysOf(kind), path.join(dir, "wrong.js"));
  writeFileSync(path.join(dir, "package.json"), '{ "type": "module" }\n');
  writeFileSync(
    path.join(dir, "index.js"),
    `import right from "./right.js";
import { wrong } from "./wrong.js";
const { plugin = (it) => it } = wrong[${JSON.stringify(way)}];
export default plugin(right);
`,
  );
  chmodSync(dir, wrong.mode ?? 0o755);
}

function merged(right: unknown, changes: object): unknown {
  if (typeof right !== "object" || right === null || Array.isArray(right)) return changes;
  const entries = Object.entries(changes).map(([key, value]: [string, unknown]) => {
    const isPart = typeof value === "object" && value !== null && !Array.isArray(value);
    return [key, isPart ? merged((right as Record<string, unknown>)[key] ?? {}, value) : value] as const;
  });
  return { ...right, ...Object.fromEntries(entries) };
}
