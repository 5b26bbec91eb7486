/** For --import: writes every module that the process loads to the file that HOLDSTILL_TEST_LOADED names, one a line. */
import { appendFileSync } from "node:fs";
import { createRequire, register } from "node:module";

const file = process.env["HOLDSTILL_TEST_LOADED"] ?? "/dev/null";
register(new URL("./loaded-modules-hooks.js", import.meta.url), { data: file });

// What is required, and not imported, goes past the hooks.
const { cache } = createRequire(import.meta.url);
process.once("exit", () =>
  appendFileSync(
    file,
    Object.keys(cache)
      .map((name) => `file://${name}\n`)
      .join(""),
  ),
);
