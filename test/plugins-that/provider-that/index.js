/** A provider that copies small files into a directory, its store: TRANSACTION.partial, and once sealed TRANSACTION. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { misbehaving } from "../faults.js";

const partial = ({ store }, tx) => path.join(store, `${tx.id}.partial`);
const sealed = ({ store }, id) => path.join(store, id);
const points = (mounts = []) => mounts.map((mount) => ({ kind: "fs", mount }));
const index = (dir) => path.join(dir, "volumes.json");
const read = (dir) => JSON.parse(readFileSync(index(dir), "utf8"));

function snapshots(dir, setId) {
  const createdAt = statSync(dir).mtime.toISOString();
  return read(dir).map(({ id }, number) => ({
    id: `${setId}/${number}`,
    setId,
    volumeId: id,
    createdAt,
    method: "copy",
  }));
}

/** Answers to seal that fit the schema, and are not true. */
const lies = {
  nothing: () => [],
  "another set": ([one]) => [{ ...one, setId: "../../etc" }],
  "another volume": ([one]) => [{ ...one, volumeId: "8:99" }],
  twice: ([one]) => [one, one],
  "no date": ([one]) => [{ ...one, createdAt: "yesterday" }],
};

/** What the option says, or the file beside the store, which may change meanwhile. */
function fillOf({ fill, store }) {
  const file = `${store}.fill`;
  return existsSync(file) ? Number(readFileSync(file, "utf8")) : fill;
}

const provider = {
  async match(volume, { options }) {
    const { mine = true, only, pointInTime = false, atomicGroup = false, writable = true, hold } = options;
    const isMine = mine && (only?.includes(volume.mountPoint) ?? true);
    return !isMine ? null : { pointInTime, atomicGroup, writable, method: "copy", hold: points(hold) };
  },
  async prepare(tx, volumes, { options }) {
    mkdirSync(partial(options, tx), { recursive: true });
    writeFileSync(index(partial(options, tx)), JSON.stringify(volumes.map(({ id, paths }) => ({ id, paths }))));
    return { hold: options.lies === "unheld" ? [] : points(options.hold), commit: [{ op: "plugin" }] };
  },
  async commit(tx, { options }) {
    const dir = partial(options, tx);
    for (const [number, { paths }] of read(dir).entries()) {
      await sleep(options.gapMs);
      for (const from of paths) cpSync(from, path.join(dir, String(number), from), { recursive: true });
    }
  },
  async seal(tx, { options }) {
    renameSync(partial(options, tx), sealed(options, tx.id));
    const truth = snapshots(sealed(options, tx.id), tx.id);
    return lies[options.lies]?.(truth) ?? truth;
  },
  async abort(tx, { options }) {
    rmSync(partial(options, tx), { recursive: true, force: true });
    rmSync(sealed(options, tx.id), { recursive: true, force: true });
  },
  async list({ options }) {
    const fill = fillOf(options);
    const foreign = options.foreign === undefined ? [] : [{ ...options.foreign, createdAt: "2026-01-01T00:00:00Z" }];
    return foreign.concat(
      readdirSync(options.store)
        .filter((name) => existsSync(index(sealed(options, name))) && !name.endsWith(".partial"))
        .flatMap((name) => snapshots(sealed(options, name), name))
        .map((snapshot) =>
          fill === undefined ? snapshot : { ...snapshot, fill: { percent: fill, where: options.store } },
        ),
    );
  },
  async expose({ id }, { access }, { options }) {
    const [setId, number] = id.split("/");
    const { paths } = read(sealed(options, setId))[Number(number)];
    const picture = path.join(sealed(options, setId), number);
    const copy = access === "scratch" ? `${picture}.scratch` : picture;
    if (access === "scratch") cpSync(picture, copy, { recursive: true });
    return {
      trees: paths.map((original) => ({ original, path: path.join(copy, original) })),
      readOnly: access === "read-only",
    };
  },
  async conceal({ id }, { options }) {
    rmSync(`${path.join(options.store, id)}.scratch`, { recursive: true, force: true });
  },
  async preserve({ id, volumeId }, tx, { options }) {
    if (options.full) throw Object.assign(new Error("the store is full"), { code: "NO_SAFETY" });
    const [setId, number] = id.split("/");
    const { paths } = read(sealed(options, setId))[Number(number)];
    const dir = sealed(options, tx.id);
    const before = existsSync(index(dir)) ? read(dir) : [];
    mkdirSync(dir, { recursive: true });
    for (const from of paths) cpSync(from, path.join(dir, String(before.length), from), { recursive: true });
    writeFileSync(index(dir), JSON.stringify([...before, { id: volumeId, paths }]));
    return snapshots(dir, tx.id).at(-1);
  },
  async revert({ id }, { options }) {
    const [setId, number] = id.split("/");
    for (const original of read(sealed(options, setId))[Number(number)].paths) {
      rmSync(original, { recursive: true, force: true });
      cpSync(path.join(sealed(options, setId), number, original), original, { recursive: true });
    }
    if (options.merges) rmSync(sealed(options, setId), { recursive: true });
  },
  async remove({ setId }, { options }) {
    rmSync(sealed(options, setId), { recursive: true, force: true });
  },
};

export default misbehaving(provider, ({ store }) => store);
