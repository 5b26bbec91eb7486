import assert from "node:assert/strict";
import test from "node:test";
import { setLines } from "#core/cli/render/set.js";
import { plainStyle } from "../../../support/fixture/terminal-style.js";
import { sampleSet } from "../../../support/fixture/sample-set.js";

test("a fact of many words is broken into lines that fit, and so is why a writer was not held", () => {
  const set = sampleSet();
  const [writer] = set.writers;
  assert.ok(writer !== undefined);
  const words = "Copy the snapshot, put backup_label into it, give all of it to the server's user, and start it.";
  writer.facts = {
    howToRestore: words,
    settings: { max_connections: "100", max_worker_processes: "8", wal: "replica" },
  };
  writer.reason = words;
  const lines = setLines(set, plainStyle);
  for (const line of lines) assert.ok(line.length <= 80, line);
  const shown = lines.map((line) => line.trim()).join(" ");
  for (const whole of [`howToRestore: ${words}`, 'settings: { "max_connections": "100", "max_worker_processes": "8",'])
    assert.ok(shown.includes(whole), shown);
});
