import { openSync } from "node:fs";
import { getSystemErrorName } from "node:util";
import { ioctl, syncfs } from "../../os/libc.js";
import * as dm from "./dm.js";
import {
  type Backend,
  type HoldAttempt,
  opName,
  type ReadyOp,
  type ReleaseAttempt,
  TargetFault,
  type TargetHandle,
} from "./backend.js";
import { type MountPoint, openFolder, openMountPoint, whatChanged } from "./mount-point.js";
import type { KernelOp } from "../../base/schema/commit-ops.js";
import type { ArmTarget } from "../wire.js";

/** _IOWR('X', 119, int) and _IOWR('X', 120, int), linux/fs.h */
const FIFREEZE = 0xc0045877;
const FITHAW = 0xc0045878;
/** _IOW(0x94, 23, struct btrfs_ioctl_vol_args_v2), linux/btrfs.h: fd (s64) at 0, flags (u64) at 16, name (char[4040]) at 56. */
const BTRFS_IOC_SNAP_CREATE_V2 = 0x50009417;
const SNAP_ARGS = { bytes: 4096, flags: 16, name: 56 };
const BTRFS_SUBVOL_RDONLY = 1n << 1n;

/** asm-generic/errno-base.h: the same on all architectures that Node runs on. */
const EBUSY = 16;
const EINVAL = 22;

/** How often a release is tried that the kernel refuses for a reason other than "not held". */
const TRIES = 3;

/** Calls the kernel. A call that blocks, blocks only its own thread. */
export function ioctlBackend(): Backend {
  const control = openControl();
  return {
    open: async ({ target, identity }: ArmTarget) => {
      if (target.kind === "dm") return openDevice(control(), target.name);
      if (identity === null) throw new TargetFault("the request does not identify its file system");
      return new FileSystemHandle(openMountPoint(target.mount, identity));
    },
    ready: (op) => readyOp(op, control),
  };
}

class FileSystemHandle implements TargetHandle {
  readonly #mount: MountPoint;

  constructor(mount: MountPoint) {
    this.#mount = mount;
  }

  check(mounts: Parameters<TargetHandle["check"]>[0]): string | null {
    return whatChanged(this.#mount, mounts);
  }

  flush(): Promise<number> {
    return syncfs(this.#mount.fd);
  }

  async hold(): Promise<HoldAttempt> {
    const errno = await ioctl(this.#mount.fd, FIFREEZE, null);
    if (errno === 0) return { type: "held" };
    return errno === EBUSY ? { type: "busy" } : { type: "refused", reason: describeErrno(errno) };
  }

  /** EINVAL is "not frozen" (fs/super.c, thaw_super): another process has thawed it in the meantime. */
  async release(): Promise<ReleaseAttempt> {
    return withRetries(async () => {
      const errno = await ioctl(this.#mount.fd, FITHAW, null);
      if (errno === 0) return { type: "released" };
      return errno === EINVAL ? { type: "lapsed" } : { type: "stuck", reason: describeErrno(errno) };
    });
  }
}

/**
 * A device-mapper device, by its number. Its open node keeps the kernel from giving that number to another device. Suspending
 * flushes the device and freezes the file system on it.
 */
class DeviceHandle implements TargetHandle {
  readonly #control: number;
  readonly #device: dm.DmDevice;

  constructor(control: number, device: dm.DmDevice) {
    this.#control = control;
    this.#device = device;
  }

  check(): null {
    return null;
  }

  /** Left to the kernel: a device does not show what is mounted from it. */
  async flush(): Promise<void> {}

  /** The kernel does not refuse to suspend a device that is already suspended (dm-ioctl.c, do_suspend), so its state is read first. */
  async hold(): Promise<HoldAttempt> {
    const before = dm.deviceStatus(this.#device);
    const unknown = await ioctl(this.#control, before.request, before.buffer);
    if (unknown !== 0) return { type: "refused", reason: describeErrno(unknown) };
    if (dm.isSuspended(before)) return { type: "busy" };
    const { request, buffer } = dm.suspendDevice(this.#device);
    const errno = await ioctl(this.#control, request, buffer);
    if (errno === 0) return { type: "held" };
    return errno === EBUSY ? { type: "busy" } : { type: "refused", reason: describeErrno(errno) };
  }

  async release(): Promise<ReleaseAttempt> {
    return withRetries(async () => {
      const now = dm.deviceStatus(this.#device);
      const unknown = await ioctl(this.#control, now.request, now.buffer);
      if (unknown === 0 && !dm.isSuspended(now)) return { type: "lapsed" };
      const { request, buffer } = dm.resumeDevice(this.#device);
      const errno = await ioctl(this.#control, request, buffer);
      return errno === 0 ? { type: "released" } : { type: "stuck", reason: describeErrno(errno) };
    });
  }
}

async function openDevice(control: number, name: string): Promise<TargetHandle> {
  const found = dm.deviceStatus({ name });
  const errno = await ioctl(control, found.request, found.buffer);
  if (errno !== 0) throw new TargetFault(`device-mapper does not have this device (${describeErrno(errno)})`);
  const dev = dm.devOf(found);
  openNode(name, dev);
  return new DeviceHandle(control, { dev });
}

/** The node stays open for as long as this process lives. The minor's 20 bits are around the major's 12 (linux/kdev_t.h, new_encode_dev). */
function openNode(name: string, dev: bigint): void {
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xfff00n);
  for (const node of [`/dev/dm-${minor}`, `/dev/mapper/${name}`]) {
    try {
      openSync(node, "r");
      return;
    } catch {
      // Then the other one: which of the two exists depends on udev.
    }
  }
  throw new TargetFault("its device node in /dev cannot be opened");
}

function readyOp(op: KernelOp, control: () => number): ReadyOp {
  const [fd, { request, buffer }] =
    op.op === "btrfs-snapshot" ? [openFolder(op.folder), snapshotCall(op)] : [control(), deviceCall(op)];
  return {
    name: opName(op),
    run: async () => {
      const errno = await ioctl(fd, request, buffer);
      return errno === 0 ? null : describeErrno(errno);
    },
  };
}

function deviceCall(op: Extract<KernelOp, { device: string }>): dm.DmIoctl {
  const device = { name: op.device };
  switch (op.op) {
    case "dm-message":
      return dm.sendMessage(device, op.message, op.sector);
    case "dm-load":
      return dm.loadTable(device, op.table);
    case "dm-create":
      return dm.createDevice(op.device, op.uuid);
    case "dm-resume":
      return dm.resumeDevice(device);
    case "dm-remove":
      return dm.removeDevice(device);
  }
}

function snapshotCall({ subvolume, name, writable = false }: Extract<KernelOp, { op: "btrfs-snapshot" }>): dm.DmIoctl {
  const buffer = Buffer.alloc(SNAP_ARGS.bytes);
  buffer.writeBigInt64LE(BigInt(openFolder(subvolume)));
  buffer.writeBigUInt64LE(writable ? 0n : BTRFS_SUBVOL_RDONLY, SNAP_ARGS.flags);
  buffer.write(name, SNAP_ARGS.name);
  return { request: BTRFS_IOC_SNAP_CREATE_V2, buffer };
}

/** Opened once, and only if device-mapper is needed: a kernel may lack it. */
function openControl(): () => number {
  let fd: number | undefined;
  return () => {
    try {
      return (fd ??= openSync("/dev/mapper/control", "r+"));
    } catch (error) {
      throw new TargetFault(`device-mapper cannot be used (${String(error)})`);
    }
  };
}

async function withRetries(release: () => Promise<ReleaseAttempt>): Promise<ReleaseAttempt> {
  let attempt = await release();
  for (let tried = 1; attempt.type === "stuck" && tried < TRIES; tried += 1) attempt = await release();
  return attempt;
}

const reasons: Record<string, string> = {
  EOPNOTSUPP: "the kernel cannot freeze this kind of file system",
  EPERM: "not permitted: this needs root (CAP_SYS_ADMIN)",
  ENXIO: "the device does not exist",
};

function describeErrno(errno: number): string {
  const name = getSystemErrorName(-errno);
  return reasons[name] ?? name;
}
