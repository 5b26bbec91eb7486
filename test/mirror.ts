/** Which tests belong to a source: those in the mirrored folder of test/core or test/plugins, and those that `elsewhere` names. */
import path from "node:path";

/**
 * Folders of sources whose tests need the command line, a server, a file system or a kernel. All paths are of the repository;
 * `*` stands for the name of the source.
 */
export const elsewhere: Readonly<Record<string, readonly string[]>> = {
  "core/src/cli/commands": ["test/features/command-line.test.ts", "test/features/*.test.ts"],
  "core/src/cli/live": ["test/features/output.test.ts", "test/features/interruption.test.ts"],
  "core/src/cli/terminal": ["test/features/output.test.ts", "test/features/command-line.test.ts"],
  "core/src/conformance": ["test/features/conformance-provider.test.ts", "test/features/conformance-writer.test.ts"],
  "core/src/engine": ["test/features/command-line.test.ts"],
  "core/src/engine/create": ["test/features/command-line.test.ts", "test/features/queue.test.ts"],
  "core/src/engine/lease": ["test/features/lease-fd.test.ts", "test/features/lease-stdin.test.ts"],
  "core/src/engine/recover": ["test/features/interruption.test.ts", "test/storage/keeper-killed.test.ts"],
  "core/src/engine/sets": [
    "test/features/command-line.test.ts",
    "test/features/prune.test.ts",
    "test/features/verify.test.ts",
  ],
  "core/src/engine/setup": ["test/servers/doctor.test.ts"],
  "core/src/host/scaffold": ["test/features/plugins-new.test.ts"],
  "core/src/service": ["test/features/service"],
  "core/template": ["test/features/plugins-new.test.ts", "test/features/conformance-writer.test.ts"],
  "core/examples": ["test/features/examples.test.ts"],
  "plugins/provider-btrfs": [
    "test/storage/provider-btrfs.test.ts",
    "test/storage/provider-btrfs-revert.test.ts",
    "test/storage/provider-btrfs-killed.test.ts",
    "test/storage/provider-btrfs-conformance.test.ts",
  ],
  "plugins/provider-csi": [
    "test/storage/provider-csi.test.ts",
    "test/storage/provider-csi-faults.test.ts",
    "test/storage/provider-csi-conformance.test.ts",
  ],
  "plugins/provider-rbd": [
    "test/storage/provider-rbd.test.ts",
    "test/storage/provider-rbd-killed.test.ts",
    "test/storage/provider-rbd-cephx.test.ts",
    "test/storage/provider-rbd-conformance.test.ts",
  ],
  "plugins/writer-exec": ["test/features/writer-exec.test.ts", "test/features/writer-exec-faults.test.ts"],
  "plugins/writer-mysql": ["test/servers/writer-mysql"],
  "plugins/writer-systemd": ["test/features/writer-systemd.test.ts"],
};

/** The roots of the mirrors. They hold tests of the whole, so a source below them does not stand for all that is in them. */
const roots = ["test/core", "test/plugins", "test/docs"];

/** Whether there are tests in a folder, or also in those below it. */
export type HasTests = (folder: string, where: "directly" | "anywhere") => boolean;

/** Test files and folders for a source file or a folder of sources; some of them need not exist. Empty: none are known. */
export function testsOfSource(source: string, isFile: boolean, hasTests: HasTests): string[] {
  const mirror = mirrorOf(source);
  const own = isFile && mirror !== null ? path.dirname(mirror) : mirror;
  if (isFile && mirror !== null && roots.includes(path.dirname(mirror))) return [mirror.replace(/\.ts$/, ".test.ts")];
  const found = [...(own !== null && hasTests(own, "anywhere") ? [own] : []), ...testsElsewhere(source)];
  if (found.length > 0) return found;
  for (let folder = own ?? "."; folder !== "." && !roots.includes(folder); folder = path.dirname(folder))
    if (hasTests(folder, "directly")) return [folder];
  return [];
}

function testsElsewhere(source: string): string[] {
  for (let folder = source; folder !== "."; folder = path.dirname(folder)) {
    const found = elsewhere[folder];
    if (found !== undefined) return found.map((test) => test.replace("*", path.parse(source).name));
  }
  return [];
}

/** Where the tests of a source would lie; null: it is not a source. */
function mirrorOf(source: string): string | null {
  const [, root, rest = ""] = /^(core\/src|core(?=\/tools)|plugins|docs)(?:\/(.*))?$/.exec(source) ?? [];
  if (root === undefined) return null;
  const room = root === "core/src" ? "core" : root;
  return path.join("test", room, root === "plugins" ? rest.replace(/^([^/]+)\/src(?=\/|$)/, "$1") : rest);
}
