import path from "node:path";
import { labTests } from "./guest.js";
import { NoKernel } from "./kernels.js";

const suffix = ".lab.js";
const nameOf = (file: string): string => path.basename(file, suffix);

/**
 * The compiled lab tests with these names: `provider-lvm`, also as `provider-lvm.lab` or a path; `provider-lvm*` is each name that
 * begins so. None: all. Fails with NoKernel where there is no such test.
 */
export function namedTests(names: readonly string[]): string[] {
  const all = labTests([".lab"]);
  if (names.length === 0) return all;
  const found = names.flatMap((given) => {
    const name = path.basename(given).replace(/\.lab(?:\.[jt]s)?$/, "");
    const matching = all.filter((file) =>
      name.endsWith("*") ? nameOf(file).startsWith(name.slice(0, -1)) : nameOf(file) === name,
    );
    if (matching.length > 0) return matching;
    const similar = all.map((file) => nameOf(file)).filter((other) => other.includes(name.replace("*", "")));
    const others = (similar.length > 0 ? similar : all.map((file) => nameOf(file))).join(", ");
    throw new NoKernel(`There is no lab test ${name}. There are: ${others}.`);
  });
  return [...new Set(found)].toSorted();
}
