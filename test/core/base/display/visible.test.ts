import assert from "node:assert/strict";
import test from "node:test";
import { escapeControls } from "#core/cli/terminal/output.js";
import { eventLine } from "#core/cli/live/progress.js";
import { faultLines } from "#core/cli/render/fault.js";
import { setLines } from "#core/cli/render/set.js";
import { visible } from "#core/base/display/visible.js";
import type { Event } from "#core/base/schema/types.js";
import { plainStyle } from "../../../support/fixture/terminal-style.js";
import { sampleSet } from "../../../support/fixture/sample-set.js";

const evil = "x\n\u001B[32mok\u2028\u202E\u0085y";
const tamed = String.raw`x\n\u001b[32mok\u2028\u202e\u0085y`;

test("of all that steers a terminal only our own colours come through", () => {
  assert.equal(
    escapeControls("a\u001B]0;title\u0007b\rc\u001B[2J\u001B[31md\u001B[39m\u001B[8me\u009B1m\nf"),
    String.raw`a\u001b]0;title\u0007b\u000dc\u001b[2J` + "\u001B[31md\u001B[39m" + String.raw`\u001b[8me\u009b1m\nf`,
  );
});

test("a plugin's message cannot look like a line or a colour of our own", () => {
  const fault = {
    code: "E_PLUGIN",
    message: evil,
    hint: evil,
    details: { problems: [{ path: evil, problem: evil, remedy: "" }] },
  };
  assert.deepEqual(faultLines(fault, plainStyle), [`holdstill: ${tamed}`, `  ${tamed}: ${tamed}`, `→ ${tamed}`]);
  const event: Event = { type: "warning", at: "", ms: 0, message: evil };
  assert.equal(eventLine(visible(event), undefined)?.text, `warning: ${tamed}`);
});

test("a set's name, tags and paths are shown with control characters spelled out", () => {
  const set = { ...sampleSet(), name: evil, tags: { [evil]: evil }, targets: [evil] };
  const shown = setLines(set, plainStyle);
  assert.ok(shown.includes(`Set 20260102-030405-a1b2c3 (${tamed}), 2026-01-02 03:04:05Z`));
  assert.ok(shown.includes(`  ${tamed}=${tamed}`) && shown.includes(`  ${tamed}`));
  assert.deepEqual(shown, visible(shown));
});
