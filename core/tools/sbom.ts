import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { packageFolders } from "./notices.js";

interface Component {
  readonly "bom-ref": string;
}

/** CycloneDX 1.5, as npm-sbom(1) writes it. */
interface BillOfMaterials {
  readonly metadata: object;
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

/**
 * What the package contains, and what it needs: CycloneDX, without a time and a serial number, so that it is the same for the same
 * packages.
 *
 * @param files What the package was made of, relative to the repository. @param needed Names of its dependencies.
 */
export function billOfMaterials(
  repository: string,
  { name, version }: { name: string; version: string },
  files: readonly string[],
  needed: readonly string[],
): string {
  const args = ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"];
  const text = execFileSync("npm", args, { cwd: repository, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  const {
    metadata: _,
    components,
    dependencies,
    ...format
  } = JSON.parse(text) as BillOfMaterials & { serialNumber?: string };
  delete format.serialNumber;
  const folders = [...packageFolders(files), ...needed.map((one) => `node_modules/${one}`)];
  const refs = new Set(folders.map((folder) => refOf(path.join(repository, folder))));
  const own = {
    "bom-ref": `${name}@${version}`,
    type: "application",
    name,
    version,
    purl: `pkg:npm/${name}@${version}`,
  };
  const kept = components.filter((one) => refs.has(one["bom-ref"]));
  const missing = [...refs].filter((ref) => !kept.some((one) => one["bom-ref"] === ref));
  if (missing.length > 0) throw new Error(`npm sbom does not list ${missing.join(", ")}.`);
  const all = [
    { ref: own["bom-ref"], dependsOn: [...refs].toSorted() },
    ...dependencies
      .filter(({ ref }) => refs.has(ref))
      .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((one) => refs.has(one)) })),
  ];
  const bill = { ...format, metadata: { component: own }, components: kept, dependencies: all };
  return `${JSON.stringify(bill, null, 2)}\n`;
}

function refOf(folder: string): string {
  const { name, version } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as Record<
    string,
    string
  >;
  return `${name}@${version}`;
}
