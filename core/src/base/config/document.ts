/** Reads YAML and JSON, and keeps the lines. The only importer of yaml. */
import { createRequire } from "node:module";
import type * as Yaml from "yaml";
import type { CST, Document, Node, Pair } from "yaml";
import type { Finding } from "../schema/types.js";
import { shorten, escapePointer, place, shown, type LineOf } from "../schema/findings.js";
import { plainJson } from "./plain-json.js";

const require = createRequire(import.meta.url);
let loaded: typeof Yaml | undefined;
/** A third of what a short command would load. JSON without errors does not need it. */
const yaml = (): typeof Yaml => (loaded ??= require("yaml") as typeof Yaml);

/** The value of a text, with its lines. */
export interface ParsedDocument {
  /** undefined: the text could not be parsed. */
  value: unknown;
  findings: Finding[];
  lineOf: LineOf;
}

/** Parses a text, strictly as JSON if the file is named *.json. Each error becomes a finding. */
export function parseText(file: string, text: string): ParsedDocument {
  if (text.length > most.characters) return refused(file, `${text.length} characters`);
  const plain = file.endsWith(".json") ? plainJson(text) : undefined;
  if (plain === undefined || plain === null) return parseWithLines(file, text);
  let lines: LineOf | undefined;
  const lineOf: LineOf = (pointer) => (lines ??= parseWithLines(file, text).lineOf)(pointer);
  return { value: plain, findings: [], lineOf };
}

function parseWithLines(file: string, text: string): ParsedDocument {
  const counter = new (yaml().LineCounter)();
  const line = (offset: number): number => counter.linePos(offset).line;
  if (isTooDeep(text)) return refused(file, `more than ${most.levels} levels`);
  try {
    const document = yaml().parseDocument(text, { lineCounter: counter, uniqueKeys: false, prettyErrors: false });
    const lineOf: LineOf = (pointer) => {
      const offset = offsetOf(document, pointer);
      return offset === undefined ? undefined : line(offset);
    };
    const syntax = file.endsWith(".json") ? jsonFaults(file, text) : yamlFaults(file, document, line);
    if (aliasesIn(document) > most.aliases) return refused(file, `more than ${most.aliases} aliases`);
    if (syntax.length > 0) return { value: undefined, findings: syntax, lineOf };
    const { twice, aliases } = shapeFaults(document);
    const findings = [...aliases, ...twice].map((fault) => place(fault, { file, lineOf }));
    return { value: aliases.length > 0 ? undefined : (document.toJS() ?? {}), findings, lineOf };
  } catch (error) {
    // Too many aliases: yaml throws.
    return refused(file, error instanceof Error ? error.message : String(error));
  }
}

/** A value in one line of YAML; texts in double quotes, if `style` does not say otherwise. */
export function yamlOf(value: unknown, style: "QUOTE_DOUBLE" | "PLAIN" = "QUOTE_DOUBLE"): string {
  const text = yaml().stringify(value, {
    collectionStyle: "flow",
    defaultStringType: style,
    defaultKeyType: "PLAIN",
    lineWidth: 0,
    blockQuote: false,
  });
  return text.trimEnd();
}

function refused(file: string, seen: string): ParsedDocument {
  const expected = "a document of reasonable size";
  return { value: undefined, findings: [{ file, pointer: "", seen, expected }], lineOf: () => undefined };
}

/** Limits that no real config reaches. Without these limits a small file could take minutes and gigabytes. */
const most = { characters: 1024 * 1024, levels: 100, aliases: 100, faults: 200 };

/** yaml composes a document by recursion. At the end of the stack Node 20 crashes in a regular expression, so this is checked before. */
function isTooDeep(text: string): boolean {
  const waiting = [...new (yaml().Parser)().parse(text)].map((token) => ({ token, depth: 0 }));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const depth = next.depth + 1;
    if (depth > most.levels) return true;
    for (const token of parts(next.token)) waiting.push({ token, depth });
  }
  return false;
}

function parts(token: CST.Token): CST.Token[] {
  const tokens = "items" in token ? token.items.flatMap(({ key, value }) => [key, value]) : [];
  if (token.type === "document") tokens.push(token.value);
  return tokens.filter((part) => part !== null && part !== undefined);
}

function yamlFaults(file: string, { errors, warnings }: Document, line: (offset: number) => number): Finding[] {
  return [...errors, ...warnings].slice(0, most.faults).map(({ message, pos }) => {
    return { file, line: line(pos[0]), pointer: "", seen: shorten(message), expected: "valid YAML" };
  });
}

function jsonFaults(file: string, text: string): Finding[] {
  try {
    JSON.parse(text.trim() === "" ? "{}" : text);
    return [];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // Node quotes the text around the error, which may be a secret.
    const seen = message.replace(/, (\.\.\.)?".*" is not valid JSON$/s, "");
    const offset = Number(/position (\d+)/.exec(seen)?.[1] ?? text.length);
    const line = text.slice(0, offset).split("\n").length;
    return [{ file, line, pointer: "", seen: shorten(seen), expected: "valid JSON" }];
  }
}

function aliasesIn(document: Document): number {
  let count = 0;
  yaml().visit(document, { Alias: () => void (count += 1) });
  return count;
}

type Fault = Pick<Finding, "pointer" | "seen" | "expected">;
type Ancestors = readonly (Document | Node | Pair)[];

/** Duplicate keys, and aliases without a target or without an end, which have no value. */
function shapeFaults(document: Document): { twice: Fault[]; aliases: Fault[] } {
  const twice: Fault[] = [];
  const aliases: Fault[] = [];
  yaml().visit(document, {
    Map(_, map, ancestors) {
      const seen = new Set<string>();
      const again = new Set<string>();
      for (const { key } of map.items) (seen.has(nameOf(key)) ? again : seen).add(nameOf(key));
      for (const name of [...again].slice(0, Math.max(0, most.faults - twice.length))) {
        const pointer = `${pointerOf([...ancestors, map])}/${escapePointer(name)}`;
        twice.push({ pointer, seen: `property ${shown(name)} twice`, expected: "each property once" });
      }
    },
    Alias(_, alias, ancestors) {
      const source = alias.resolve(document);
      if (source !== undefined && !ancestors.includes(source)) return;
      const expected = source === undefined ? "an anchor above" : "an alias of something else than what it is part of";
      aliases.push({ pointer: pointerOf([...ancestors, alias]), seen: shorten(`*${alias.source}`), expected });
    },
  });
  return { twice, aliases };
}

function nameOf(key: unknown): string {
  return String(yaml().isScalar(key) ? key.value : key);
}

function pointerOf(chain: Ancestors): string {
  const steps = chain.map((node, index) => {
    const child = chain[index + 1];
    if (yaml().isSeq(node)) return `/${node.items.indexOf(child)}`;
    return "key" in node ? `/${escapePointer(nameOf(node.key))}` : "";
  });
  return steps.join("");
}

/** Offset of a pointer's key or value. A pointer to nothing ends at the last known step. */
function offsetOf(document: Document, pointer: string): number | undefined {
  let node: unknown = document.contents;
  let offset = document.contents?.range?.[0];
  for (const step of pointer.split("/").slice(1)) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (yaml().isAlias(node)) node = node.resolve(document);
    if (yaml().isMap(node)) {
      const pair = node.items.findLast(({ key }) => nameOf(key) === name);
      if (pair === undefined) return offset;
      offset = (pair.key as Node | null)?.range?.[0] ?? offset;
      node = pair.value;
    } else if (yaml().isSeq(node)) {
      node = node.items[Number(name)];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
    } else return offset;
  }
  return offset;
}
