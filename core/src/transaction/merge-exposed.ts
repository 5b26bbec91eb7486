import type { Exposed } from "../base/schema/types.js";

/** What several snapshots show, for a writer that has its data in all of them. */
export function mergeExposed(all: readonly Exposed[]): Exposed {
  const devices = all.flatMap((one) => one.devices ?? []);
  return {
    trees: all.flatMap(({ trees }) => trees),
    ...(devices.length === 0 ? {} : { devices }),
    readOnly: all.some(({ readOnly }) => readOnly),
  };
}
