import { readFileSync } from "node:fs";

/** Where a device is mounted in our mount namespace, the last one first. */
export function mountPointsOf(number: string): string[] {
  // proc_pid_mountinfo(5): id, parent, major:minor, root, mount point, …
  const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const fields = lines.map((line) => line.split(" ")).filter(([, , device]) => device === number);
  return fields.map(([, , , , point = ""]) => unescape(point)).toReversed();
}

/** Space, tab, newline and backslash come as octal escapes. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
}
