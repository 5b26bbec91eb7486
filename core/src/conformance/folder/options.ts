import type { Finding } from "../../base/schema/types.js";
import { escapePointer, shown } from "../../base/schema/findings.js";
import { type ConformanceCheck, CheckFailure, findingText, Skip } from "../check.js";
import { samplePlaceholders, suggestedInstance } from "../../host/manifest/suggestion.js";
import { filledIn, optionSets } from "../fixture.js";
import { type Folder, validOf } from "./folder.js";

const group = "The options";

export const optionsChecks: readonly ConformanceCheck<Folder>[] = [
  {
    name: "options-accept-their-defaults",
    group,
    title: "The options' schema accepts its own defaults and examples.",
    next: "Correct the default, the example, or the schema.",
    needs: ["manifest"],
    run(folder) {
      const values = propertiesOf(folder).flatMap(([name, { default: value, examples }]) => [
        ...(value === undefined ? [] : [[name, value] as const]),
        ...(Array.isArray(examples) ? (examples as unknown[]) : []).map((example) => [name, example] as const),
      ]);
      const faults = values.flatMap(([name, value]) =>
        faultsOf(folder, { [name]: value }).filter((finding) => isAt(finding, name)),
      );
      if (faults.length > 0) throw new CheckFailure(faults.map((finding) => findingText(finding)).join(" "));
    },
  },
  {
    name: "options-refuse-garbage",
    group,
    title: "The options' schema rejects options that the plugin does not have.",
    next: "Set `additionalProperties: false`, and a `type` or an `enum` for each option: only the schema finds a misspelt option.",
    needs: ["manifest"],
    run(folder) {
      const stranger = "holdstill-conformance";
      const seen = faultsOf(folder, { [stranger]: true }).some((finding) => isAt(finding, stranger))
        ? []
        : [`It accepts an option that does not exist (${stranger}).`];
      for (const [name] of propertiesOf(folder)) {
        const refuses = garbage.some((value) => faultsOf(folder, { [name]: value }).some((found) => isAt(found, name)));
        if (!refuses) seen.push(`It accepts anything for ${name}: ${garbage.map((value) => shown(value)).join(", ")}.`);
      }
      if (seen.length > 0) throw new CheckFailure(seen.join(" "));
    },
  },
  {
    name: "options-accept-the-fixture",
    group,
    title: "The options' schema accepts the options that the plugin is tested with.",
    next: "Set the options that the plugin is started with in `options` of conformance.json, beside plugin.json.",
    needs: ["manifest", "fixture"],
    run(folder) {
      const fixture = filledIn(folder.fixture ?? {}, { WORK: "/work", PLUGIN: folder.dir });
      const faults = optionSets(fixture).flatMap((options) => faultsOf(folder, options));
      if (faults.length > 0) throw new CheckFailure(faults.map((finding) => findingText(finding)).join(" "));
    },
  },
  {
    name: "suggestion-fits-the-options",
    group,
    title: "The options' schema accepts the options that the manifest suggests.",
    next: "Correct `suggests` in plugin.json, so that `holdstill init` writes a valid config.",
    needs: ["manifest"],
    run(folder) {
      const { manifest } = validOf(folder);
      if (manifest.suggests === undefined) throw new Skip("the manifest suggests nothing");
      const { options } = suggestedInstance(manifest, samplePlaceholders(manifest));
      const faults = faultsOf(folder, options);
      if (faults.length > 0) throw new CheckFailure(faults.map((finding) => findingText(finding)).join(" "));
    },
  },
];

const garbage = [null, true, 0.5, "\u0000", ["\u0000"], { "": null }];

/** Of the options at the top: their schemas. */
function propertiesOf(folder: Folder): [string, Record<string, unknown>][] {
  const { properties = {} } = validOf(folder).manifest.options ?? {};
  return Object.entries(properties as Record<string, Record<string, unknown>>);
}

function faultsOf(folder: Folder, options: Record<string, unknown>): Finding[] {
  const checked = validOf(folder).checkOptions(options, { file: "options" });
  return checked.ok ? [] : checked.findings;
}

function isAt({ pointer }: Finding, name: string): boolean {
  const place = `/${escapePointer(name)}`;
  return pointer === place || pointer.startsWith(`${place}/`);
}
