import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { exit } from "#core/base/errors/exit.js";
import { exitCodes } from "#core/cli/render/exit-codes.js";
import { generalHelp } from "#core/cli/render/help.js";
import { repository } from "../../../support/repository.js";

test("the help and docs/operate.md have every exit code, with the same meaning", () => {
  assert.deepEqual(
    exitCodes.map(({ code }) => Number(code)),
    Object.values(exit),
  );
  const help = generalHelp({ columns: 80, paint: (_, text) => text }, []).join("\n");
  const page = readFileSync(path.join(repository, "docs/operate.md"), "utf8").replaceAll("`", "");
  const cells = help.split(/\n| {2,}/);
  for (const { code, short, long } of exitCodes) {
    assert.equal(cells[cells.indexOf(code) + 1], short, `${code} in the help`);
    assert.ok(page.includes(`| ${code} | ${long} |`), `${code}: ${long}`);
  }
});
