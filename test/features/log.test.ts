import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { holdstill } from "../support/process/command-line.js";
import { Scene } from "../support/fixture/scene.js";

test("every line of the log says which transaction and phase, and what a plugin does, which instance and plugin", async (t) => {
  const stage = new Scene(t);
  const file = path.join(stage.dir, "holdstill.log");
  const config = stage.configFile({ provider: { in: "commit", does: "throws" } });
  const settings = JSON.parse(readFileSync(config, "utf8")) as object;
  writeFileSync(config, JSON.stringify({ ...settings, log: { level: "debug", file } }));
  await holdstill(["create", "writer:app", "--config", config]);

  const lines = readFileSync(file, "utf8").trim().split("\n");
  const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const begun = entries.findIndex((entry) => entry["message"] === "begun");
  const { transaction } = entries[begun] ?? {};
  assert.match(String(transaction), /^\d{8}-\d{6}-[0-9a-f]{6}$/);
  for (const entry of entries.slice(begun)) assert.equal(entry["transaction"], transaction, JSON.stringify(entry));
  const said = entries.find((entry) => entry["message"] === "frozen");
  assert.deepEqual([said?.["instance"], said?.["plugin"], said?.["phase"]], ["app", "writer-that", "freeze"]);
  const failed = entries.find((entry) => entry["message"] === "commit failed");
  assert.deepEqual([failed?.["level"], failed?.["instance"], failed?.["phase"]], ["error", "store", "commit"]);
  assert.equal(entries.at(-1)?.["message"], "ended: aborted");
});
