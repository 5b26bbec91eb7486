import type { ProviderCapabilities, Qualities } from "../../base/schema/types.js";
import { spaceParts } from "./plan.js";
import type { TerminalStyle } from "../terminal/style.js";
import { type Cell, tableLines } from "./table.js";

/** How the provider would capture each volume that it can, and what it refused. */
export function capabilityLines(
  { offers, volumes, refused, error }: ProviderCapabilities,
  style: TerminalStyle,
): string[] {
  const failed = error === undefined ? [] : [{ mountPoint: "✗", error }];
  const rows: Cell[][] = [
    ...volumes.map(({ mountPoint, qualities }) => [mountPoint, capabilitiesOf(qualities, offers).join(", ")]),
    ...[...failed, ...refused].map(({ mountPoint, error: { message } }) => [
      mountPoint,
      { text: message, style: "yellow" as const },
    ]),
  ];
  return rows.length === 0 ? ["  captures none of the mounted file systems"] : tableLines(rows, style);
}

function capabilitiesOf(
  { pointInTime, group, hold = [], consistency, writable, revert, space = {}, method }: Qualities,
  offers: ProviderCapabilities["offers"],
): string[] {
  const canRevert = revert === true && offers.includes("revert");
  return [
    method ?? "snapshot",
    pointInTime ? "of one instant" : "not of one instant",
    ...(group === undefined ? [] : [`together with group ${group}`]),
    ...(hold.length === 0 ? [] : ["held by the kernel"]),
    ...(consistency === "filesystem" ? ["flushed by the storage"] : []),
    ...(writable === true ? ["writable"] : []),
    ...(offers.includes("fork") ? ["fork"] : []),
    ...(offers.includes("diff") ? ["changed blocks"] : []),
    ...(offers.includes("receive") ? ["import"] : []),
    ...(canRevert ? [offers.includes("preserve") ? "revert with a safety snapshot" : "revert"] : []),
    ...spaceParts(space),
  ];
}
