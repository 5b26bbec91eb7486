// The imaginary array: a small HTTP server with the interface of such devices. Its "volumes" are mounted file systems of this
// machine, and a snapshot is a copy of one: instant it is not, so the provider has the file system held meanwhile.
//
//   node array.js PORT TOKEN FOLDER MOUNTPOINT…
//
//   GET    /volumes?mount=/srv        the volume that is mounted there: { name }
//   GET    /snapshots?group=G         those of a group, or all
//   POST   /snapshots                 { group, comment, volumes: [{ name, label }] }: all at once
//   DELETE /snapshots/NAME
//   PUT    /snapshots/NAME/export     makes it readable: { path }
//   DELETE /snapshots/NAME/export
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";

const [port, token, folder, ...mountPoints] = process.argv.slice(2);
const snapshots = path.join(folder, "snapshots");
const exported = path.join(folder, "exports");
for (const dir of [snapshots, exported]) mkdirSync(dir, { recursive: true });

const read = (name) => JSON.parse(readFileSync(path.join(snapshots, name, "about.json"), "utf8"));
const all = () => readdirSync(snapshots).filter((name) => existsSync(path.join(snapshots, name, "about.json")));

async function create({ group, comment, volumes }) {
  for (const { name, label } of volumes) {
    const dir = path.join(snapshots, `${group}.${name}`);
    mkdirSync(dir, { recursive: true });
    await promisify(execFile)("cp", ["-a", "-T", mountPoints[Number(name)], path.join(dir, "data")]);
    const about = { name: `${group}.${name}`, group, comment, label, createdAt: new Date().toISOString() };
    writeFileSync(path.join(dir, "about.json"), JSON.stringify(about));
  }
  return [201];
}

async function answer(request) {
  if (request.headers.authorization !== `Bearer ${token}`) return [401];
  const url = new URL(request.url, "http://array");
  const [, kind, name, part] = url.pathname.split("/");
  const at = mountPoints.indexOf(url.searchParams.get("mount"));
  const group = url.searchParams.get("group");
  switch (`${request.method} ${kind} ${name === undefined ? "" : "NAME"} ${part ?? ""}`.trim()) {
    case "GET volumes":
      return at === -1 ? [404] : [200, { name: String(at) }];
    case "GET snapshots":
      return [
        200,
        all()
          .map(read)
          .filter((one) => group === null || one.group === group),
      ];
    case "POST snapshots":
      return create(JSON.parse(await text(request)));
    case "DELETE snapshots NAME":
      if (!existsSync(path.join(snapshots, name))) return [404];
      rmSync(path.join(snapshots, name), { recursive: true });
      return [204];
    case "PUT snapshots NAME export":
      if (!all().includes(name)) return [404];
      if (!existsSync(path.join(exported, name)))
        symlinkSync(path.join(snapshots, name, "data"), path.join(exported, name));
      return [200, { path: path.join(snapshots, name, "data") }];
    case "DELETE snapshots NAME export":
      rmSync(path.join(exported, name), { force: true });
      return [204];
    default:
      return [405];
  }
}

/** One request after the other: a request for the list also sees the result of an earlier request that was aborted. */
let last = Promise.resolve();

const server = createServer((request, response) => {
  last = last
    .then(() => answer(request))
    .then(
      ([status, body]) => response.writeHead(status).end(body === undefined ? "" : JSON.stringify(body)),
      (error) => response.writeHead(500).end(error.message),
    );
});
server.listen(Number(port), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
