import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { kubeletVolume } from "@holdstill/provider-csi/dist/kubelet.js";
import { tempDir } from "../../support/storage/temp.js";

const driver = "csi.acme.com";
/** As the kubelet names its folders. */
const staged = `plugins/kubernetes.io/csi/${driver}/5f7e/globalmount`;
const ofPod = "pods/8a6c/volumes/kubernetes.io~csi/pvc-1/mount";

/** The volume of a mount at a path below the kubelet's folder, with that beside it. */
function found(t: TestContext, at: string, data: string): string | null {
  const kubelet = tempDir(t);
  const point = path.join(kubelet, at);
  mkdirSync(point, { recursive: true });
  writeFileSync(path.join(path.dirname(point), "vol_data.json"), data);
  const mount = {
    number: "8:1",
    root: "/",
    point,
    access: "read-write" as const,
    fsType: "ext4",
    source: "/dev/sda",
    options: [],
  };
  assert.equal(kubeletVolume([mount], path.join(kubelet, "elsewhere"), driver), null);
  return kubeletVolume([mount], kubelet, driver);
}

const text = (changes: Record<string, unknown> = {}): string =>
  JSON.stringify({ driverName: driver, volumeHandle: "vol-1", ...changes });

test("a mount of the kubelet is the volume that its vol_data.json names", (t) => {
  assert.equal(found(t, staged, text()), "vol-1");
  assert.equal(found(t, ofPod, text({ volumeLifecycleMode: "Persistent" })), "vol-1");
});

test("another driver's volume, one that lives with its pod, and a file that cannot be read are not taken", (t) => {
  assert.equal(found(t, staged, text({ driverName: "csi.other.com" })), null);
  assert.equal(found(t, ofPod, text({ volumeLifecycleMode: "Ephemeral" })), null);
  assert.equal(found(t, staged, "{"), null);
  assert.equal(found(t, staged, "null"), null);
  assert.equal(found(t, "pods/8a6c/volumes/kubernetes.io~csi/pvc-1/other", text()), null);
});
