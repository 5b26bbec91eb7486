import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { catalogue } from "#core/base/errors/catalogue.js";
import { HoldstillError, toFault } from "#core/base/errors/error.js";
import { repository } from "../../../support/repository.js";

const textOf = (dir: string, skip: (file: string) => boolean = () => false): string =>
  readdirSync(path.join(repository, dir), { recursive: true, encoding: "utf8" })
    .filter(
      (file) => /\.(ts|js)$/.test(file) && !file.includes("node_modules") && !file.includes("dist") && !skip(file),
    )
    .map((file) => readFileSync(path.join(repository, dir, file), "utf8"))
    .join("\n");

const codes = Object.keys(catalogue);

test("every code of the catalogue is thrown somewhere in the core", () => {
  const core = textOf("core/src", (file) => file.startsWith("errors/catalogue") || file.startsWith("errors/details"));
  assert.deepEqual(
    codes.filter((code) => !core.includes(`"${code}"`)),
    [],
  );
});

test("every code of the catalogue is seen in a test", () => {
  const tests = textOf("test", (file) => file.endsWith("errors.test.ts"));
  const elsewhere = codes.filter((code) => code !== "E_BUG"); // below, in this file
  assert.deepEqual(
    elsewhere.filter((code) => !tests.includes(code)),
    [],
  );
});

test("every code of the catalogue is documented", () => {
  const page = readFileSync(path.join(repository, "docs/troubleshooting.md"), "utf8");
  assert.deepEqual(
    codes.filter((code) => !page.includes(`\`${code}\``)),
    [],
  );
});

test("an error carries its code, a sentence, the next step and what the command line ends with", () => {
  const error = new HoldstillError("E_CONFIG_NOT_FOUND", { file: "/etc/x.yaml" });
  assert.equal(error.message, "The config file /etc/x.yaml does not exist.");
  assert.equal(error.exitCode, 2);
  assert.deepEqual(toFault(error), {
    code: "E_CONFIG_NOT_FOUND",
    message: error.message,
    hint: error.hint,
    details: { file: "/etc/x.yaml" },
  });
});

test("whatever else is thrown is a bug of ours, and its message is kept", () => {
  const fault = toFault(new TypeError("undefined is not a function"));
  assert.equal(fault.code, "E_BUG");
  assert.match(fault.message, /undefined is not a function/);
});
