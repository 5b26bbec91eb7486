/** The interfaces of the contract, read from their source: what the generated pages and files are made of. */
import { readFileSync } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "../../..");

/** The interfaces of the contract, in the order of the page. `program`: what is exchanged with programs alone. */
export function contractInterfaces(part: "any" | "program"): Interface[] {
  const inAny = ["host/contract/writer", "host/contract/provider", "host/contract/context", "os/exec/options"];
  return (part === "any" ? inAny : ["host/contract/program"]).flatMap((file) => interfacesOf(source(file)));
}

const source = (file: string): string => readFileSync(path.join(root, "core/src", `${file}.ts`), "utf8");

export interface Interface {
  name: string;
  /** Name of the interface that it extends; absent: none. */
  base?: string;
  doc: string;
  members: { text: string; doc: string; isOptional: boolean }[];
}

/** The interfaces of a file that oxfmt has formatted: a docstring comes first, and a brace on a separate line ends each. */
function interfacesOf(text: string): Interface[] {
  const blocks = text.matchAll(
    /(?:\/\*\*(?<doc>(?:(?!\*\/).)*)\*\/\n)?export interface (?<name>\w+)(?:<(?<parameters>[^{]*)>)?(?: extends (?<base>\w+))?[^{]*\{\n(?<body>.*?)\n\}/gs,
  );
  return [...blocks].map(({ groups = {} }) => ({
    name: groups["name"] ?? "",
    ...(groups["base"] !== undefined && { base: groups["base"] }),
    doc: docOf(groups["doc"]),
    members: membersOf(withBounds(groups["body"] ?? "", groups["parameters"] ?? "")),
  }));
}

/** With the bound of a type parameter in its place: `Captured extends Volume` is a Volume. */
function withBounds(body: string, parameters: string): string {
  const bounds = new Map(
    [...parameters.matchAll(/(\w+) extends (\w+)/g)].map(([, name = "", bound = ""]) => [name, bound]),
  );
  return body.replaceAll(/\b\w+\b/g, (word) => bounds.get(word) ?? word);
}

function membersOf(body: string): Interface["members"] {
  const members = body.matchAll(/(?:\/\*\*(?<doc>(?:(?!\*\/).)*)\*\/\s*)?(?<text>[a-z][^;]*);/gs);
  return [...members].map(({ groups = {} }) => {
    const text = (groups["text"] ?? "").replace(/^readonly /, "");
    return { text: text.replace(/^(\w+)\?/, "$1"), doc: docOf(groups["doc"]), isOptional: /^\w+\?/.test(text) };
  });
}

function docOf(comment = ""): string {
  const lines = comment.split("\n").map((line) => line.replace(/^\s*\* ?/, "").trim());
  return lines.join("\n").trim();
}
