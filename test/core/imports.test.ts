import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { repository } from "../support/repository.js";

const source = path.join(repository, "core/src");

/** What each room may import from, as in core/README.md. The files at the top may use all, and all may use installation.ts. */
const mayUse: Record<string, string[]> = {
  base: [],
  os: ["base"],
  store: ["base", "os"],
  host: ["base", "os"],
  keeper: ["base", "os"],
  plan: ["base", "os", "host", "keeper"],
  cluster: ["base", "os"],
  // Its journal, volume locks, holder, and rendezvous are handed in: transaction/services.ts.
  transaction: ["base", "os", "host", "plan", "cluster"],
  engine: ["base", "os", "store", "host", "keeper", "plan", "cluster", "transaction"],
  conformance: ["base", "os", "host", "keeper", "plan", "transaction"],
  service: ["base", "os", "store", "host", "plan", "cluster", "transaction", "engine"],
  cli: ["base", "os", "store", "host", "plan", "cluster", "transaction", "engine", "conformance", "service"],
};

/** The one place that each dependency is imported in. */
const importers: Record<string, string> = {
  "@bufbuild/protobuf": "cluster/etcd/messages.ts",
  "@connectrpc/connect": "cluster/etcd/member.ts",
  "@connectrpc/connect-node": "cluster/etcd/member.ts",
  ajv: "base/schema/compile.ts",
  cosmiconfig: "base/config/load.ts",
  execa: "os/exec/exec.ts",
  fastify: "service/http/server.ts",
  koffi: "os/libc.ts",
  pino: "base/log/log.ts",
  semver: "host/manifest/versions.ts",
  tinypool: "host/isolation/host/pool.ts",
  "vscode-jsonrpc": "host/isolation/worker/program.ts",
  "tar-stream": "engine/transport/archive.ts",
  yaml: "base/config/document.ts",
};

type Import = { readonly from: string; readonly to: string };

const imports = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
  .flatMap((from): Import[] => {
    const text = readFileSync(path.join(source, from), "utf8");
    return [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(([, to = ""]) => ({
      from,
      to: to.startsWith(".") ? path.join(path.dirname(from), to) : to,
    }));
  });

const folder = (file: string): string | null => (file.includes(path.sep) ? (file.split(path.sep)[0] ?? null) : null);

test("imports between folders go in the direction of the design", () => {
  const wrong = imports.filter(({ from, to }) => {
    const [ours, theirs] = [folder(from), folder(to)];
    if (ours === null || theirs === null || ours === theirs || !(theirs in mayUse)) return false;
    return !(mayUse[ours] ?? []).includes(theirs);
  });
  assert.deepEqual(wrong, []);
});

test("the folders that are allowed make no circle, and all of them exist", () => {
  const order: string[] = [];
  const visit = (name: string, way: readonly string[]): void => {
    assert.ok(!way.includes(name), `a circle: ${[...way, name].join(" → ")}`);
    if (order.includes(name)) return;
    for (const next of mayUse[name] ?? []) visit(next, [...way, name]);
    order.push(name);
  };
  for (const name of Object.keys(mayUse)) visit(name, []);
  const folders = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.deepEqual(folders.map((entry) => entry.name).toSorted(), order.toSorted());
});

test("no two files import each other, not even by way of others", () => {
  const graph = new Map<string, string[]>();
  for (const { from, to } of imports) {
    if (!to.endsWith(".js")) continue;
    graph.set(from, [...(graph.get(from) ?? []), to.replace(/\.js$/, ".ts")]);
  }
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    assert.ok(!way.includes(file), `a circle: ${[...way, file].join(" → ")}`);
    if (done.has(file)) return;
    for (const to of graph.get(file) ?? []) visit(to, [...way, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
});

test("the machine is pure: it imports its state, the phases, and what describes data", () => {
  const pure = ["machine", "state", "phases", "company", "participant-state"].map((name) => `transaction/${name}.ts`);
  const impure = imports.filter(
    ({ from, to }) =>
      pure.includes(from) && !pure.includes(to.replace(/\.js$/, ".ts")) && !to.startsWith("base/schema/"),
  );
  assert.deepEqual(impure, []);
});

test("each dependency is imported in one place", () => {
  for (const [dependency, importer] of Object.entries(importers)) {
    const users = imports
      .filter(({ to }) => to === dependency || to.startsWith(`${dependency}/`))
      .map(({ from }) => from);
    assert.deepEqual([...new Set(users)], [importer], dependency);
  }
});

/** All files that these import, directly and through others. */
function closureOf(files: readonly string[]): Set<string> {
  const found = new Set(files);
  for (const file of found)
    for (const { from, to } of imports) if (from === file && to.endsWith(".js")) found.add(to.replace(/\.js$/, ".ts"));
  return found;
}

/** Not only for its types, and not when it is needed. */
const isStatic = ({ from, to }: Import): boolean =>
  to.endsWith(".js") &&
  new RegExp(`^(?:import|export) (?!type )[^;]*"[^"]*${path.basename(to)}"`, "m").test(
    readFileSync(path.join(source, from), "utf8"),
  );

test("what speaks with etcd is loaded only where a set spans several hosts: its files are imported when they are needed", () => {
  const found = new Set(["cli/main.ts", "index.ts", "client.ts", "service/service.ts", "engine/engine.ts"]);
  for (const file of found)
    for (const one of imports) if (one.from === file && isStatic(one)) found.add(one.to.replace(/\.js$/, ".ts"));
  assert.ok(found.has("transaction/machine.ts"), "the closure is followed");
  assert.deepEqual(
    [...found].filter((file) => file.startsWith("cluster/")),
    [],
  );
});

/** The two programs that hold or release volumes. */
const keeperPrograms = ["keeper/process/main.ts", "keeper/process/rescue.ts"];

/** What both sides of the keeper share are the files directly in keeper/. */
const keeperPart = (file: string): string =>
  /^keeper\/(client|policy|process)\//.exec(file)?.[1] ?? (file.startsWith("keeper/") ? "shared" : "core");

test("the keeper's process imports nothing of its client or of the policy, the core nothing of the process, and what both share neither", () => {
  const allowed: Record<string, string[]> = {
    process: ["process", "shared"],
    client: ["client", "policy", "shared"],
    policy: ["policy", "shared"],
    shared: ["shared"],
    core: ["client", "policy", "shared"],
  };
  const wrong = imports.filter(
    ({ from, to }) => to.startsWith("keeper/") && !(allowed[keeperPart(from)] ?? []).includes(keeperPart(to)),
  );
  assert.deepEqual(wrong, []);
  const needed = [...closureOf(keeperPrograms)];
  assert.ok(needed.includes("keeper/wire.ts") && needed.includes("os/libc.ts"), "the closure is followed");
  const foreign = needed.filter((file) => !/^(keeper\/(process\/|[^/]+$)|os\/|base\/)/.test(file));
  assert.deepEqual(foreign, []);
});

test("nothing is loaded in the keeper once it is armed: no module of it imports at run time, and koffi is loaded by arm", () => {
  const late = [...closureOf(keeperPrograms)].filter((file) =>
    /\bimport\(|\brequire\(|\bcreateRequire\b/.test(readFileSync(path.join(source, file), "utf8")),
  );
  assert.deepEqual(late, ["os/libc.ts"]);
  const main = readFileSync(path.join(source, "keeper/process/main.ts"), "utf8");
  const [load, armed] = [main.indexOf("preloadLibc();"), main.indexOf('send({ type: "armed" })')];
  assert.ok(load > 0 && load < armed);
});

/** Files outside store/ that write files, and what they write. A path that ends with / is a folder. */
const writers: Record<string, string> = {
  "base/log/log.ts": "the log file, which is paused while volumes are held",
  "base/schema/precompile.ts": "the build",
  "cli/commands/schedule.ts": "a file that the user named, in a process that holds nothing",
  "cli/render/draw.ts": "a file that the user named, in a process that holds nothing",
  "cli/terminal/output-queue.ts": "stdout and stderr",
  "conformance/": "the files of a test",
  "host/manifest/lock.ts": "holdstill.lock.json, beside the config",
  "host/scaffold/": "the folder of a new plugin",
  "keeper/": "/run, /dev, /dev/shm, /proc, and pipes: what must not wait for the gate",
  "os/": "temporary files and pipes",
  "service/client/remote-set.ts": "a temporary copy of a record, in a process that holds nothing",
  "service/http/socket-file.ts": "the socket, before anything is held",
};

const changesFiles =
  /^(write|writev|writeFile|appendFile|mkdir|mkdtemp|rm|rmdir|unlink|rename|link|symlink|chmod|fchmod|lchmod|chown|fchown|lchown|truncate|ftruncate|copyFile|cp|utimes|createWriteStream)(Sync)?$/;

test("files are written in store/ alone, apart from the exceptions that are named here", () => {
  const writing = readdirSync(source, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.startsWith("store/") && !file.includes("/browser/"))
    .filter((file) => {
      const text = readFileSync(path.join(source, file), "utf8");
      const fs = [...text.matchAll(/import (?:type )?([^;]*?) from "node:fs(?:\/promises)?"/g)].map(
        ([, names = ""]) => names,
      );
      assert.ok(
        fs.every((names) => names.startsWith("{")),
        `${file}: import the functions of node:fs by name`,
      );
      const names = fs.flatMap((list) => list.replaceAll(/[{}]/g, "").split(",")).map((name) => name.trim());
      const opensToWrite = /\bopen(?:Sync)?\([^;]*?(?:"(?:w|a|r\+|wx|ax)\+?"|O_WRONLY|O_RDWR|O_CREAT)/.test(text);
      return (
        names.some((name) => changesFiles.test(name)) || (names.some((name) => name.startsWith("open")) && opensToWrite)
      );
    });
  const allowed = Object.keys(writers);
  const isAllowed = (file: string): boolean =>
    allowed.some((one) => (one.endsWith("/") ? file.startsWith(one) : file === one));
  assert.deepEqual(
    writing.filter((file) => !isAllowed(file)),
    [],
  );
  const unused = allowed.filter((one) => !writing.some((file) => file.startsWith(one)));
  assert.deepEqual(unused, [], "exceptions that nothing needs");
});

test("core/README.md names every folder, and every path in it exists", () => {
  const page = readFileSync(path.join(repository, "core/README.md"), "utf8");
  const named = [...page.matchAll(/`([\w./-]*\/[\w./-]*)`/g)].map(([, name = ""]) => name);
  // Parts of a room stand beside its name, as `parse/` beside `src/cli/`; tests and pages are named from the root.
  const rooms = named.filter((name) => /^src\/[^/]+\/$/.test(name)).map((name) => name.slice("src/".length));
  const places = ["", "core", ...rooms.map((room) => path.join("core/src", room)), "core/src/host/isolation"];
  const missing = named.filter((name) => !places.some((place) => existsSync(path.join(repository, place, name))));
  assert.deepEqual(missing, []);
  const folders = readdirSync(source, { withFileTypes: true, recursive: true }).filter((entry) => entry.isDirectory());
  const unnamed = folders
    .map((entry) => path.relative(source, path.join(entry.parentPath, entry.name)))
    .filter((one) => one.split(path.sep).length <= 2)
    .filter((one) => !named.includes(`src/${one}/`) && !named.includes(`${path.basename(one)}/`));
  assert.deepEqual(unnamed, []);
});

/** Where root works on paths that other users can influence. A path that ends with / is a folder. */
const guarded = [
  "engine/restore/",
  "engine/sets/",
  "engine/transport/",
  "os/exec/mount-namespace.ts",
  "os/exec/mount-tree.ts",
  "os/exec/tree-archive.ts",
  "os/exec/tree-copy.ts",
  "store/export-file.ts",
  "store/exposure-folders.ts",
  "store/received-tree.ts",
  "store/restore-draft.ts",
  "store/sidecar.ts",
  "store/swap-into-place.ts",
  "transaction/repair.ts",
];

/** What these import of node:fs beside that, and why no name is looked up by it that another user could change. */
const byDescriptor: Record<string, { names: string[]; reason: string }> = {
  "os/exec/mount-namespace.ts": { names: ["closeSync", "openSync"], reason: "/proc, and the current folder" },
  "os/exec/tree-archive.ts": { names: ["existsSync"], reason: "/sys" },
  "store/export-file.ts": { names: ["createWriteStream"], reason: "a descriptor" },
  "store/restore-draft.ts": {
    names: ["realpathSync"],
    reason: "a path for the record; what is found there is compared",
  },
  "store/sidecar.ts": { names: ["createReadStream", "createWriteStream", "fsync"], reason: "a descriptor" },
  "store/swap-into-place.ts": { names: ["closeSync", "openSync"], reason: "/proc/self/fd" },
};

test("where other users can influence paths, only os/path looks names up", () => {
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const found: Record<string, string[]> = {};
  for (const file of files.filter((one) =>
    guarded.some((room) => one === room || (room.endsWith("/") && one.startsWith(room))),
  )) {
    const text = readFileSync(path.join(source, file), "utf8");
    const names = [...text.matchAll(/import \{([^}]*)\} from "node:fs(?:\/promises)?"/g)].flatMap(([, list = ""]) =>
      list.split(",").map((name) => name.trim().replace(/ as .*/, "")),
    );
    if (names.length > 0) found[file] = names.filter((name) => name !== "").toSorted();
  }
  assert.deepEqual(found, Object.fromEntries(Object.entries(byDescriptor).map(([file, { names }]) => [file, names])));
});

test("programs are started by their absolute paths, and cp by its descriptors alone", () => {
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const texts = files.map((file) => ({ file, text: readFileSync(path.join(source, file), "utf8") }));
  const named = texts.filter(({ text }) => /\b(?:spawn|spawnSync|execa|execFile|execFileSync)\(\s*"[^"/]/.test(text));
  assert.deepEqual(
    named.map(({ file }) => file),
    [],
  );
  const users = (program: string): string[] =>
    texts
      .filter(({ text }) => new RegExp(`(?:programAt|installedProgram)\\("${program}"\\)`).test(text))
      .map(({ file }) => file);
  assert.deepEqual(users("cp"), ["os/exec/tree-copy.ts"]);
  for (const program of ["mount", "umount", "rm", "mv", "ln"]) assert.deepEqual(users(program), [], program);
});
