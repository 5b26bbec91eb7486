import { readFileSync } from "node:fs";
import path from "node:path";
import { unescapeOctal } from "./mounts.js";

/** Mount points of fstab(5) that a boot mounts: neither swap nor `noauto`. Empty if the file does not exist. */
export function readFstab(file = "/etc/fstab"): string[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return [];
  }
  return text.split("\n").flatMap((line) => {
    const [device = "#", point = "", type, options = ""] = line.trim().split(/\s+/);
    if (device.startsWith("#") || !point.startsWith("/") || type === "swap") return [];
    return options.split(",").includes("noauto") ? [] : [path.resolve(unescapeOctal(point))];
  });
}
