import { openSync } from "node:fs";
import { getSystemErrorName } from "node:util";
import { ioctl, syncfs } from "../../os/libc.js";
import * as dm from "./dm.js";
import {
  type ReleaseAttempt,
  type TargetHandle,
  type Backend,
  type KernelOp,
  opName,
  type ReadyOp,
  TargetFault,
  type HoldAttempt,
} from "./backend.js";
import { type MountPoint, openFolder, openMountPoint, whatChanged } from "./mount-point.js";
import type { ArmTarget } from "../wire.js";

/** _IOWR('X', 119, int) and _IOWR('X', 120, int), linux/fs.h */
const FIFREEZE = 0xc0045877;
const FITHAW = 0xc0045878;
/** _IOW(0x94, 23, struct btrfs_ioctl_vol_args_v2), linux/btrfs.h: fd (s64) at 0, flags (u64) at 16, name (char[4040]) at 56. */
const BTRFS_IOC_SNAP_CREATE_V2 = 0x50009417;
const SNAP_ARGS = { bytes: 4096, flags: 16, name: 56 };
const BTRFS_SUBVOL_RDONLY = 1n << 1n;

/** Errno, asm-generic/errno-base.h: the same on all architectures that Node runs on. */
const EBUSY = 16;
const EINVAL = 22;

/** How often a thaw that the kernel refuses for another reason than "not frozen" is asked again. */
const TRIES = 3;

/** Asks the kernel directly. A call that blocks blocks its own thread. */
export function ioctlBackend(): Backend {
  const control = openControl();
  return {
    name: "ioctl",
    open: async ({ target: point, identity }: ArmTarget) => {
      if (point.kind === "dm") return mapperGrip(control(), point.name);
      if (identity === null) throw new TargetFault("nobody said which file system it is");
      return new FsGrip(openMountPoint(point.mount, identity));
    },
    step: (op) => stepOf(op, control),
  };
}

class FsGrip implements TargetHandle {
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
    if (errno === 0) return { is: "held" };
    return errno === EBUSY ? { is: "busy" } : { is: "refused", reason: inWords(errno) };
  }

  /** EINVAL is "not frozen" (fs/super.c, thaw_super): somebody has thawed it meanwhile. */
  async release(): Promise<ReleaseAttempt> {
    return persist(async () => {
      const errno = await ioctl(this.#mount.fd, FITHAW, null);
      if (errno === 0) return { is: "released" };
      return errno === EINVAL ? { is: "lapsed" } : { is: "stuck", reason: inWords(errno) };
    });
  }
}

/**
 * A device-mapper device, by its number; the open node keeps that number from going to another device. Suspending flushes it
 * and freezes the file system on it.
 */
class MapperGrip implements TargetHandle {
  readonly #control: number;
  readonly #device: dm.DmDevice;

  constructor(control: number, device: dm.DmDevice) {
    this.#control = control;
    this.#device = device;
  }

  check(): null {
    return null;
  }

  /** Left to the kernel: a device does not say what is mounted from it. */
  async flush(): Promise<void> {}

  /** To suspend what is suspended already is no error for the kernel (dm-ioctl.c, do_suspend): so the state is asked first. */
  async hold(): Promise<HoldAttempt> {
    const before = dm.deviceStatus(this.#device);
    const unknown = await ioctl(this.#control, before.request, before.buffer);
    if (unknown !== 0) return { is: "refused", reason: inWords(unknown) };
    if (dm.isSuspended(before)) return { is: "busy" };
    const { request, buffer } = dm.suspendDevice(this.#device);
    const errno = await ioctl(this.#control, request, buffer);
    if (errno === 0) return { is: "held" };
    return errno === EBUSY ? { is: "busy" } : { is: "refused", reason: inWords(errno) };
  }

  async release(): Promise<ReleaseAttempt> {
    return persist(async () => {
      const now = dm.deviceStatus(this.#device);
      const unknown = await ioctl(this.#control, now.request, now.buffer);
      if (unknown === 0 && !dm.isSuspended(now)) return { is: "lapsed" };
      const { request, buffer } = dm.resumeDevice(this.#device);
      const errno = await ioctl(this.#control, request, buffer);
      return errno === 0 ? { is: "released" } : { is: "stuck", reason: inWords(errno) };
    });
  }
}

async function mapperGrip(control: number, name: string): Promise<TargetHandle> {
  const found = dm.deviceStatus({ name });
  const errno = await ioctl(control, found.request, found.buffer);
  if (errno !== 0) throw new TargetFault(`device-mapper knows no such device (${inWords(errno)})`);
  const dev = dm.devOf(found);
  openNode(name, dev);
  return new MapperGrip(control, { dev });
}

/** Kept open for as long as this process lives. The minor's 20 bits lie around the major's 12 (linux/kdev_t.h, new_encode_dev). */
function openNode(name: string, dev: bigint): void {
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xfff00n);
  for (const node of [`/dev/dm-${minor}`, `/dev/mapper/${name}`]) {
    try {
      openSync(node, "r");
      return;
    } catch {
      // The other one, then: which of the two there is depends on udev.
    }
  }
  throw new TargetFault("its device node in /dev cannot be opened");
}

function stepOf(op: KernelOp, control: () => number): ReadyOp {
  const [fd, { request, buffer }] =
    op.op === "btrfs-snapshot" ? [openFolder(op.folder), snapshotCall(op)] : [control(), mapperCall(op)];
  return {
    name: opName(op),
    run: async () => {
      const errno = await ioctl(fd, request, buffer);
      return errno === 0 ? null : inWords(errno);
    },
  };
}

function mapperCall(op: Extract<KernelOp, { device: string }>): dm.DmIoctl {
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

/** Opened once, and only where device-mapper is needed: a kernel may be without. */
function openControl(): () => number {
  let fd: number | undefined;
  return () => {
    try {
      return (fd ??= openSync("/dev/mapper/control", "r+"));
    } catch (error) {
      throw new TargetFault(`this kernel has no device-mapper (${String(error)})`);
    }
  };
}

async function persist(release: () => Promise<ReleaseAttempt>): Promise<ReleaseAttempt> {
  let freed = await release();
  for (let tried = 1; freed.is === "stuck" && tried < TRIES; tried += 1) freed = await release();
  return freed;
}

const words: Record<string, string> = {
  EOPNOTSUPP: "the kernel cannot freeze this kind of file system",
  EPERM: "not permitted: this needs root (CAP_SYS_ADMIN)",
  ENXIO: "there is no such device",
};

function inWords(errno: number): string {
  const name = getSystemErrorName(-errno);
  return words[name] ?? name;
}
