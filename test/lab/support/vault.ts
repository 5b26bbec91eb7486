import { mkdirSync, writeFileSync } from "node:fs";
import type { TestContext } from "node:test";
import { onEnd } from "../../support/process/on-end.js";
import { type FileSystem, mkfs, run, type VolumeGroup } from "./volume-group.js";

export const passphrase = "/run/passphrase";
/** Cheap, for a test. */
export const cheap = [
  "--batch-mode",
  "--key-file",
  passphrase,
  "--pbkdf",
  "pbkdf2",
  "--pbkdf-force-iterations",
  "1000",
];

/** A file system on LUKS on a volume that `make` makes; where it is mounted. */
export function vault(
  t: TestContext,
  vg: VolumeGroup,
  name: string,
  make: () => void,
  fs: FileSystem = "ext4",
  options: string[] = ["--disable-keyring"],
): string {
  writeFileSync(passphrase, "open sesame", { mode: 0o600 });
  make();
  run("cryptsetup", ["luksFormat", ...cheap, `/dev/${vg.name}/${name}`]);
  unlock(vg, name, options);
  onEnd(t, () => void run("cryptsetup", ["close", `luks-${name}`]));
  return place(t, `/dev/mapper/luks-${name}`, fs);
}

export function unlock(vg: VolumeGroup, name: string, options: string[] = ["--disable-keyring"]): void {
  run("cryptsetup", ["open", ...options, "--key-file", passphrase, `/dev/${vg.name}/${name}`, `luks-${name}`]);
}

/** Makes a file system, and mounts it. */
export function place(t: TestContext, device: string, fs: FileSystem): string {
  const [command = "", ...args] = mkfs[fs];
  run(command, [...args, device]);
  const at = `/mnt/${device.replaceAll("/", "_")}`;
  mkdirSync(at, { recursive: true });
  run("mount", [device, at]);
  onEnd(t, () => void run("umount", [at]));
  return at;
}
