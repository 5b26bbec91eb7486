import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** The types and descriptors of etcd's messages, from core/src/cluster/etcd/etcd.proto. Both programs are in node_modules. */
export function etcdMessages(root: string): string {
  const out = mkdtempSync(path.join(tmpdir(), "holdstill-etcd-"));
  const bin = path.join(root, "node_modules/.bin");
  const template = {
    version: "v2",
    plugins: [{ local: path.join(bin, "protoc-gen-es"), out, opt: ["target=ts", "import_extension=js"] }],
  };
  try {
    const args = ["generate", path.join(root, "core/src/cluster/etcd"), "--template", JSON.stringify(template)];
    execFileSync(path.join(bin, "buf"), args, { env: { ...process.env, HOME: out } });
    return readFileSync(path.join(out, "etcd_pb.ts"), "utf8");
  } finally {
    rmSync(out, { recursive: true });
  }
}
