/** The prose of pages, error texts and help texts: patterns that are not used, each with the better wording. docs/concepts.md has the words. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { commandTable } from "#core/cli/table.js";
import { pages as allPages } from "../support/pages.js";
import { repository } from "../support/repository.js";

interface Text {
  where: string;
  text: string;
}

/** In sentences, without code. */
const banned: readonly [pattern: RegExp, better: string][] = [
  [
    /(?<!\b(?:user|person|author|operator|client|reader|administrator|people)s?,? )\bwho\b/i,
    "name the subject: the host, another process",
  ],
  [/\b(?:who(?:so)?ever|(?:some|no|every|any)body)\b/i, "name the subject: another process, any user"],
  [/\b(?:he|him|his)\b/i, "the user, their"],
  [/(?<!\bthere )\b(?:is|are|was|were) no (?!longer\b|more than\b)/i, "is not a, does not have"],
  [/, too\b(?! (?:many|much|few)\b)/i, "also, before the verb"],
  [/\b(?:of (?:its|their|your|our) own|by itself|by themselves)\b/i, "its own X, a separate X, itself"],
  [/\bmend(?:s|ed|ing)?\b/i, "fix"],
  [/\b(?:tells?|told|says?|said)\b/i, "report, print, return, log, show"],
  [/\b(?:answered|(?:do|does|did|can|cannot|must|may|not|to) answer)\b/i, "return, respond, report"],
  [/\bpictures?\b/i, "snapshot (what was taken), contents (what is read in it)"],
  [/\bconceal(?:s|ed|ing)?\b/i, "unexpose"],
  [/\broom\b/i, "space"],
  [/(?:^|[.:;|-] )Where (?!\p{L}+ (?:is|are|to)\b)/u, "If X, Y. Or: When X, Y."],
  [
    /\b(?:as good as|for good|comes? to a halt|goes by|go by|hangs? on|looks? at)\b/i,
    "the plain verb: stop, use, depend on, check",
  ],
];

/** Names that are no longer used, in code as well. */
const renamed: readonly [pattern: RegExp, better: string][] = [
  [/\bholdstill conceal\b|`conceal\b/, "unexpose"],
  [/\bhold-until\b/, "retain SET --until DATE"],
  [/\bholdstill hold\b|`hold TARGET/, "create --lease-stdin TARGET"],
  [/--fill\b|\bfillInterval\b/, "--usage, usageInterval"],
  [/\bheld: (?:true|false)\b/, "uninterrupted"],
];

/** Words in a sentence, at most. */
const longest = 25;
/** Characters in a line, at most. */
const widest = 120;

/** The page that `npm run bench` writes, and what was released under other names. */
const elsewhere = ["test/bench/RESULTS.md", "CHANGELOG.md"];
const pages = allPages().filter(({ where }) => !elsewhere.includes(where));
/** Pages whose every sentence is short. */
const brief = pages.filter(({ where }) => where === "README.md" || where.startsWith("docs/"));

test("pages use none of the patterns that read badly, and no old name", () => {
  assert.deepEqual(
    pages.flatMap(({ where, text }) => [
      ...findings({ where, text: proseOf(text) }, banned),
      ...findings({ where, text }, renamed),
    ]),
    [],
  );
});

test("lines of pages are short, except in tables and code", () => {
  const long = pages.flatMap(({ where, text }) =>
    withoutBlocks(text)
      .split("\n")
      .flatMap((line, at) => (line.length > widest && !line.startsWith("|") ? [`${where}:${at + 1}`] : [])),
  );
  assert.deepEqual(long, []);
});

test("sentences of README and of docs/ are short", () => {
  assert.deepEqual(
    brief.flatMap(({ where, text }) => tooLong({ where, text: proseOf(text) })),
    [],
  );
});

test("README is short, and has the two commands", () => {
  const { text = "" } = pages.find(({ where }) => where === "README.md") ?? {};
  assert.ok(text.split("\n").length <= 151);
  assert.match(text, /^npm ci && npm run demo\b/m);
  assert.match(text, /^npm ci && npm run test:setup && npm test\b/m);
});

test("error texts use none of the patterns, and their sentences are short", () => {
  assert.deepEqual(errorTexts().flatMap(faultsOf), []);
});

test("descriptions in schemas use none of the patterns, and their sentences are short", () => {
  assert.deepEqual(descriptions().flatMap(faultsOf), []);
});

test("help texts use none of the patterns, and their sentences are short", async () => {
  assert.deepEqual((await helpTexts()).flatMap(faultsOf), []);
});

test("texts and comments of the command line and of the service use none of the patterns", () => {
  const files = ["core/src/cli", "core/src/service"].flatMap((folder) =>
    readdirSync(path.join(repository, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => /\.(?:ts|html)$/.test(file))
      .map((file) => path.join(folder, file)),
  );
  assert.ok(files.length > 80, "the rooms have other names");
  assert.deepEqual(
    files.flatMap((where) => textsOf(where).flatMap((one) => [...findings(one, banned), ...findings(one, renamed)])),
    [],
  );
});

test("the patterns find what they are for", () => {
  const bad = [
    "Who cannot answers `readOnly: true`.",
    "The command line goes by it, too.",
    "It is no regular file.",
    "Mend each line that is named.",
    "Where it runs, the command line uses it.",
    "Nobody else may change the picture.",
  ];
  for (const text of bad) assert.notDeepEqual(findings({ where: "", text }, banned), [], text);
  assert.deepEqual(
    findings({ where: "", text: "The user who runs it is no longer asked. There is no config." }, banned),
    [],
  );
  assert.equal(tooLong({ where: "", text: `${"word ".repeat(26)}end. Short.` }).length, 1);
});

function faultsOf(one: Text): string[] {
  return [...findings(one, banned), ...findings(one, renamed), ...tooLong(one)];
}

/** Lines of a paragraph are read as one. */
function findings({ where, text }: Text, patterns: typeof banned): string[] {
  const joined = text.replaceAll(/(?<!\n)\n(?!\n)/g, " ");
  return patterns.flatMap(([pattern, better]) =>
    [...joined.matchAll(new RegExp(pattern, `${pattern.flags}gm`))].map(({ 0: found, index }) => {
      const line = text.slice(0, index).split("\n").length;
      return `${where}:${line}: "${found.trim()}" → ${better}: …${joined.slice(Math.max(0, index - 40), index + 40).trim()}…`;
    }),
  );
}

/** Sentences end at a full stop; paragraphs, list items and table cells end them as well. */
function tooLong({ where, text }: Text): string[] {
  const blocks = text.split(/\n\s*\n|\n(?=\s*(?:[-*#|]|\d+\.) ?)|\|/);
  const sentences = blocks.flatMap((block) =>
    block.replaceAll("\n", " ").split(/(?<=[.!?]['")]*)\s+(?=[\p{Lu}"'(]|holdstill\b)/u),
  );
  return sentences
    .filter((sentence) => sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length > longest)
    .map((sentence) => `${where}: more than ${longest} words: ${sentence.trim()}`);
}

/** A page without code, addresses and comments; every line stays where it is. */
function proseOf(page: string): string {
  return withoutBlocks(page)
    .replaceAll(/``?[^`]*``?/g, (code) => `X${code.replaceAll(/[^\n]/g, "")}`)
    .replaceAll(/\]\([^)]*\)/g, "]")
    .replaceAll(/\*\*|[[\]]/g, "");
}

function withoutBlocks(page: string): string {
  return page
    .replaceAll(/^ *```.*?^ *```$/gms, empty)
    .replaceAll(/<!--.*?-->/gs, empty)
    .replaceAll(/(?<=\n\n)(?: {4}.*\n?)+/g, empty);
}

const errorTexts = (): Text[] =>
  ["core/src/base/errors/catalogue.ts", "core/src/base/errors/details.ts"].flatMap((where) => textsOf(where));

/** Every text and comment of a source file, with X for each value. */
function textsOf(where: string): Text[] {
  const source = readFileSync(path.join(repository, where), "utf8");
  if (where.endsWith(".html")) return [{ where, text: source.replaceAll(/<[^>]*>/g, " ") }];
  const texts = source.matchAll(
    /"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`|\/\*\*(.*?)\*\/|(?<![:/])\/\/ (.*?)$(?!\n *\/\/)/gms,
  );
  return [...texts].map(([, plain, template, comment, lines]) => ({
    where,
    text: (plain ?? template ?? comment ?? lines ?? "")
      .replaceAll("\\`", "`")
      .replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, "X")
      .replaceAll(/`[^`]*`/g, "X"),
  }));
}

/** Every description of the schemas. */
function descriptions(): Text[] {
  const folder = path.join(repository, "schemas");
  return readdirSync(folder)
    .filter((file) => file.endsWith(".schema.json"))
    .flatMap((file) => {
      const texts = readFileSync(path.join(folder, file), "utf8").matchAll(/"description": "((?:[^"\\]|\\.)*)"/g);
      return [...texts].map(([, text = ""]) => ({ where: file, text: text.replaceAll(/`[^`]*`/g, "X") }));
    });
}

async function helpTexts(): Promise<Text[]> {
  const commands = await Promise.all(commandTable.map(async (entry) => ({ ...entry, command: await entry.load() })));
  return commands.flatMap(({ name, summary, command: { about, options, examples } }) =>
    [summary, about, ...Object.values(options).map((option) => option.about), ...examples.map(({ does }) => does)].map(
      (text) => ({ where: `holdstill ${name} --help`, text: text.replaceAll(/`[^`]*`/g, "X") }),
    ),
  );
}

/** Nothing but the ends of its lines. */
function empty(block: string): string {
  return block.replaceAll(/[^\n]/g, "");
}
