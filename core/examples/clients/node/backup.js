#!/usr/bin/env node
/**
 * A backup by way of holdstill's service, with holdstill/client:
 *
 *     backup.js TARGET ARCHIVE-FOLDER        writer:pg-main, /srv, …
 *
 * HOLDSTILL_SOCKET names the socket, if it is not /run/holdstill.sock.
 */
import { execFileSync } from "node:child_process";
import path from "node:path";
import { connect, HoldstillError } from "holdstill/client";

const [target, into] = process.argv.slice(2);

function archive({ exposed }) {
  const trees = exposed.flatMap((one) => one.exposed.trees);
  for (const [index, tree] of trees.entries())
    execFileSync("tar", ["-C", tree.path, "-cf", path.join(into, `${index + 1}.tar`), "."]);
}

async function backup() {
  const holdstill = await connect();
  const { promised } = await holdstill.plan({ targets: [target] });
  console.error(`promised: ${promised}`);
  const onEvent = ({ type, phase = "" }) => console.error(type, phase);
  const { set, error } = await holdstill.create({ targets: [target] }, { onEvent });
  if (set === null) throw new Error(`${error.code}: ${error.message}`);
  try {
    archive(await holdstill.expose(set.id));
    await holdstill.complete(set.id, { succeeded: true, type: "copy" });
  } catch (failure) {
    await holdstill.complete(set.id, { succeeded: false, type: "copy" });
    throw failure;
  } finally {
    await holdstill.unexpose(set.id);
    await holdstill.removeAll([set.id]);
  }
}

await backup().catch((error) => {
  console.error(error instanceof HoldstillError ? `${error.code}: ${error.message} ${error.hint}` : error);
  process.exitCode = 1;
});
