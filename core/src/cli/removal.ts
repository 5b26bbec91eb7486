import type { ExitCode } from "../errors/exit.js";
import type { Requester } from "../requester/requester.js";
import type { Call } from "./command.js";
import { exitOf } from "./failure.js";
import { errLook, print, printDocument, tell } from "./output.js";
import { faultLines } from "./render/fault.js";

export function reportRemoval(
  { deleted, failed }: Awaited<ReturnType<Requester["removeAll"]>>,
  { form, quiet }: Pick<Call, "form" | "quiet">,
): ExitCode {
  if (form === "json") printDocument("delete", { deleted, failed });
  else {
    if (!quiet) print(deleted.map((id) => `Set ${id} is deleted.`));
    for (const { set, error } of failed) tell([`Set ${set} is not deleted:`, ...faultLines(error, errLook())]);
  }
  return failed[0] === undefined ? 0 : exitOf(failed[0].error);
}
