import { loadAllChecks } from "../base/schema/validate.js";

/** Loads what commands load when they first need it: after an upgrade, the files are those of another version. */
export async function loadInAdvance(): Promise<void> {
  loadAllChecks();
  await Promise.all([
    import("../base/log/log.js"),
    import("./sets/flaw.js"),
    import("./sets/retain-set.js"),
    import("../keeper/client/client.js"),
    import("../os/exec/exec.js"),
  ]);
}
