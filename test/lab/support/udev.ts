import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { onEnd } from "../../support/process/on-end.js";
import { tempDir } from "../../support/storage/temp.js";
import { root } from "../machine.js";
import { run } from "./volume-group.js";

const SYSTEM = "/usr/lib/udev/rules.d";
const OURS = "/run/udev/rules.d";

/** The rules that device-mapper and disks have, as Debian numbers them, and as LVM's sources do. All others only take time. */
const used = {
  "55-dm.rules": "10-dm.rules",
  "56-lvm.rules": "11-dm-lvm.rules",
  "60-persistent-storage.rules": "60-persistent-storage.rules",
  "60-persistent-storage-dm.rules": "13-dm-disk.rules",
  "95-dm-notify.rules": "95-dm-notify.rules",
} as const;

export type Numbering = "Debian" | "upstream";

/** The rules of holdstill for that numbering. */
export const rulesOf = { Debian: "58-holdstill.rules", upstream: "12-holdstill.rules" } as const;

/** A udevd of systemd, which runs until the test ends. `ours`: with the rules of packaging/udev. */
export async function startUdev(
  t: TestContext,
  numbering: Numbering,
  ours: "with" | "without" = "with",
): Promise<void> {
  const system = tempDir(t);
  for (const [debian, name] of Object.entries(used)) {
    copyFileSync(path.join(SYSTEM, debian), path.join(system, numbering === "Debian" ? debian : name));
  }
  run("mount", ["--bind", system, SYSTEM]);
  onEnd(t, () => run("umount", [SYSTEM]));
  mkdirSync(OURS, { recursive: true });
  onEnd(t, () => rmSync("/run/udev", { recursive: true }));
  if (ours === "with") installRules(numbering);
  trustUdev(t);
  const daemon = spawn("/usr/lib/systemd/systemd-udevd", { stdio: ["ignore", "ignore", "inherit"] });
  const ended = once(daemon, "exit");
  onEnd(t, async () => {
    daemon.kill();
    await ended;
  });
  while (!existsSync("/run/udev/control")) await new Promise((resolve) => setTimeout(resolve, 20));
  run("udevadm", ["control", "--ping"]);
}

export function installRules(numbering: Numbering): void {
  const name = rulesOf[numbering];
  copyFileSync(path.join(root, "packaging/udev", name), path.join(OURS, name));
}

/** LVM and libdm leave the nodes to udev and wait for it, as outside of the laboratory. */
function trustUdev(t: TestContext): void {
  const disabled = process.env["DM_DISABLE_UDEV"];
  delete process.env["DM_DISABLE_UDEV"];
  const conf = "/etc/lvm/lvm.conf";
  const before = readFileSync(conf, "utf8");
  writeFileSync(conf, before.replaceAll(/(udev_sync|udev_rules) = 0/g, "$1 = 1"));
  onEnd(t, () => {
    process.env["DM_DISABLE_UDEV"] = disabled;
    writeFileSync(conf, before);
  });
}

/** Waits until udev has handled all events. */
export function settle(): void {
  execFileSync("udevadm", ["settle", "--timeout=60"]);
}

/** Device-mapper name of what /dev/disk/by-uuid has for the file system of a device. */
export function meantBy(uuid: string): string {
  settle();
  const kernelName = path.basename(readlinkSync(`/dev/disk/by-uuid/${uuid}`));
  return readFileSync(`/sys/class/block/${kernelName}/dm/name`, "utf8").trim();
}

/** UUID of the file system on a device. */
export function uuidOf(device: string): string {
  return run("blkid", ["-p", "-s", "UUID", "-o", "value", device]).trim();
}
