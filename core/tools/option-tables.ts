import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { cell, type Schema, typeOf } from "./schema-values.js";

interface Manifest {
  options?: Schema;
}

/** Between these lines a README has the options of its plugin's manifest. */
const marks = { begin: "<!-- options of plugin.json: npm run generate -->", end: "<!-- end of options -->" } as const;

/** The READMEs of plugins that have such lines, with the options as the manifest has them now, by absolute path. */
export function optionTables(plugins: string): Record<string, string> {
  const folders = readdirSync(plugins).filter((name) => existsSync(path.join(plugins, name, "plugin.json")));
  return Object.fromEntries(
    folders.flatMap((name) => {
      const file = path.join(plugins, name, "README.md");
      const text = readFileSync(file, "utf8");
      if (!text.includes(marks.begin)) return [];
      const manifest = JSON.parse(readFileSync(path.join(plugins, name, "plugin.json"), "utf8")) as Manifest;
      const [before = "", rest = ""] = text.split(marks.begin);
      const after = rest.slice(rest.indexOf(marks.end));
      return [[file, `${before}${marks.begin}\n\n${tableOf(manifest.options ?? {}).join("\n")}\n\n${after}`] as const];
    }),
  );
}

function tableOf({ properties = {}, required = [] }: Schema): string[] {
  const rows = Object.entries(properties).map(([name, option]) => {
    const usual = required.includes(name) ? "required" : defaultOf(option);
    return `| \`${name}\` | ${cell(typeOf(option))} | ${usual} | ${cell(option.description ?? "")} |`;
  });
  return ["| option | values | default | meaning |", "| --- | --- | --- | --- |", ...rows];
}

function defaultOf({ default: usual }: Schema): string {
  if (usual === undefined) return "";
  return `\`${typeof usual === "string" ? usual : JSON.stringify(usual)}\``;
}
