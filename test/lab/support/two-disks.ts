import { type CliRun, holdstill } from "../../support/process/command-line.js";
import { run } from "./volume-group.js";

/** holdstill with all that it keeps on the second disk of the guest, which is mounted at /mnt. */
export const config = JSON.stringify({
  stateDir: "/mnt/holdstill",
  exposeDir: "/run/exposed",
  plugins: [{ use: "provider-dmsnap", options: { size: "16M" } }],
});

export const command = (...args: string[]): Promise<CliRun> => holdstill([...args, "--config", "/mnt/holdstill.json"]);

/** The mapping that a boot makes on the first disk: what is captured. */
export function openData(): string {
  run("dmsetup", ["create", "data", "--table", "0 131072 linear /dev/ubda 2048"]);
  return "/dev/mapper/data";
}
