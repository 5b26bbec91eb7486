import { existsSync } from "node:fs";
import path from "node:path";
import { missingPrograms } from "../../os/exec/program.js";
import { judgeCandidates } from "../../host/manifest/judge.js";
import { trustProblems } from "../../host/trust/folder-problems.js";
import { readManifest } from "../../host/manifest/validate.js";
import { trustedUser } from "../../base/trust/ownership.js";
import { type ConformanceCheck, CheckFailure, findingText } from "../check.js";
import { readFixture } from "../fixture.js";
import { type Folder, validOf } from "./folder.js";
import { optionsChecks } from "./options.js";

const group = "The folder";
const noManifest = "Name the folder of a plugin, or make one: `holdstill plugins new writer NAME`.";

export const folderChecks: readonly ConformanceCheck<Folder>[] = [
  {
    name: "manifest",
    group,
    title: "The manifest, plugin.json, is valid.",
    next: "Fix plugin.json. schemas/plugin-manifest.v1.schema.json describes each property.",
    async run(folder) {
      const file = path.join(folder.dir, "plugin.json");
      if (!existsSync(file)) throw new CheckFailure(`${file} does not exist.`, noManifest);
      const read = await readManifest(file);
      if (read.state === "invalid")
        throw new CheckFailure(read.findings.map((finding) => findingText(finding)).join(" "));
      if (read.unknown.length > 0)
        throw new CheckFailure(read.unknown.map((finding) => findingText(finding)).join(" "));
      folder.valid = read;
    },
  },
  {
    name: "fits-this-host",
    group,
    title: "This version of holdstill can use the plugin.",
    next: "If the plugin was tested with this version, widen `engines` or `protocol` in the manifest. Otherwise use another version of holdstill.",
    needs: ["manifest"],
    run(folder) {
      const { manifest } = validOf(folder);
      const found = { dir: folder.dir, read: validOf(folder), problems: [] };
      const { candidates } = judgeCandidates({ name: manifest.name, range: manifest.version }, [found], folder.host);
      const refused = candidates.find(({ verdict }) => verdict === "refused");
      if (refused !== undefined) throw new CheckFailure(`The plugin ${refused.reason}.`);
    },
  },
  {
    name: "trusted",
    group,
    title: "Only root and the current user can change the plugin.",
    next: "Correct the owner and the mode, also in the package that you ship: plugins run with the rights of holdstill.",
    async run({ dir }) {
      const problems = await trustProblems(dir, await trustedUser());
      if (problems.length === 0) return;
      const seen = problems.map(({ problem }) => problem).join("; ");
      throw new CheckFailure(`${seen}.`, `${problems.map(({ remedy }) => remedy).join("; ")}.`);
    },
  },
  {
    name: "commands",
    group,
    title: "The programs that the manifest names are installed.",
    next: "Install them, or remove them from `requires.commands`.",
    needs: ["manifest"],
    async run(folder) {
      const commands = validOf(folder).manifest.requires?.commands ?? [];
      const missing = missingPrograms(commands, folder.host.path);
      if (missing.length > 0) throw new CheckFailure(`Not on PATH: ${missing.join(", ")}.`);
    },
  },
  {
    name: "fixture",
    group,
    title: "The description of what the plugin is tested on, conformance.json, is valid.",
    next: "Fix conformance.json. schemas/conformance-fixture.v1.schema.json describes each property.",
    async run(folder) {
      if (folder.given !== null && typeof folder.given !== "string") {
        folder.fixture = folder.given;
        return;
      }
      const read = await readFixture(folder.dir, folder.given ?? undefined);
      if (!read.ok) throw new CheckFailure(read.findings.map((finding) => findingText(finding)).join(" "));
      folder.fixture = read.fixture;
    },
  },
  ...optionsChecks,
];
