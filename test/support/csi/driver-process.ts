/**
 * A CSI driver of the tests: a real server over the real wire, with images of file systems as its volumes. It misbehaves as
 * `script.json` says.
 *
 *   node driver-process.js FOLDER
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  Server,
  ServerCredentials,
  type sendUnaryData,
  type ServerUnaryCall,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { Method } from "@holdstill/provider-csi/dist/messages.js";
import { repository } from "../repository.js";
import { isRefusal, methods } from "./methods.js";
import { files, type Script } from "./script.js";
import { Storage } from "./storage.js";

const [, , folder = "."] = process.argv;
const address = `unix:${path.join(folder, files.socket)}`;
const server = new Server();
const storage = new Storage(folder);
const proto = loadSync(path.join(repository, "plugins/provider-csi/csi.proto"), {
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
});
/** How often each method was called since the script was written. */
let counted = { script: "", calls: new Map<string, number>() };
/** Objects that a call works on, by name. */
const busy = new Set<string>();

function script(): Script {
  const file = path.join(folder, files.script);
  const text = existsSync(file) ? readFileSync(file, "utf8") : "{}";
  if (text !== counted.script) counted = { script: text, calls: new Map() };
  return JSON.parse(text) as Script;
}

type Call = ServerUnaryCall<Record<string, unknown>, unknown>;

async function answer(method: string, call: Call, send: sendUnaryData<unknown>): Promise<void> {
  const { secrets, ...request } = call.request as { secrets?: Record<string, string> };
  const deadline = call.getDeadline();
  const line = { method, request, deadline: deadline === Infinity ? null : Number(deadline) };
  appendFileSync(path.join(folder, files.calls), `${JSON.stringify(line)}\n`);
  const now = script();
  const { secret } = now;
  if (secret !== undefined && secrets !== undefined && secrets[secret.name] !== secret.value)
    return send({ code: status.UNAUTHENTICATED, details: "the secret is wrong" });
  const fault = now.faults?.[method] ?? {};
  const before = counted.calls.get(method) ?? 0;
  counted.calls.set(method, before + 1);
  const isFaulty = before < (fault.times ?? Infinity);
  const { name = "" } = request as { name?: string };
  if (name !== "" && busy.has(name))
    return send({ code: status.ABORTED, details: `an operation on ${name} is under way` });
  busy.add(name);
  try {
    if (isFaulty) await sleep(fault.delayMs ?? 0);
    if (isFaulty && fault.code !== undefined)
      return send({ code: fault.code, details: `${method} fails as the test wants` });
    const work = methods[method as Method] as (...args: [unknown, Storage, Script]) => unknown;
    const result = await work(call.request, storage, now);
    storage.save();
    if (isFaulty && fault.losesAnswer) return server.drain(address, 0);
    send(null, result);
  } catch (error) {
    send(isRefusal(error) ? error : { code: status.INTERNAL, details: String(error) });
  } finally {
    busy.delete(name);
  }
}

for (const definition of Object.values(proto)) {
  if ("format" in definition) continue;
  const handlers: UntypedServiceImplementation = {};
  for (const method of Object.keys(definition))
    handlers[method] = (call: Call, send: sendUnaryData<unknown>): void => void answer(method, call, send);
  server.addService(definition, handlers);
}
await new Promise<void>((resolve, reject) => {
  server.bindAsync(address, ServerCredentials.createInsecure(), (error) =>
    error === null ? resolve() : reject(error),
  );
});
console.log("serving");
