/** What each command writes: with --json one document, which is as its schema says; else lines that fit, in colour on a terminal alone. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { commandTable } from "#core/cli/table.js";
import { holdstill, program } from "../support/process/command-line.js";
import { pluginsThat } from "../support/fixture/misbehaving-plugins.js";
import { patientLimits, Scene } from "../support/fixture/scene.js";

/** Commands that change nothing, so that one stage serves all. */
const looking: readonly (readonly string[])[] = [
  ["doctor"],
  ["init", "--print"],
  ["plan", "writer:app"],
  ["list"],
  ["list", "--usage"],
  ["show", "nightly"],
  ["history"],
  ["writers"],
  ["providers"],
  ["prune", "--keep-last", "1", "--dry-run"],
  ["restore", "nightly", "--dry-run"],
  ["recover"],
  ["recover", "--dry-run"],
  ["plugins", "list"],
  ["plugins", "why", "app"],
  ["plugins", "lock", "--check"],
  ["plugins", "upgrade", "--dry-run"],
  ["plugins", "check", path.join(pluginsThat, "writer-that"), "--only", "manifest"],
  ["schedule", "nightly", "writer:app", "--on", "02:30", "--", "/bin/true"],
  ["serve", "--print-unit"],
  ["metrics"],
  ["completions", "bash"],
  ["manual"],
];

/** Commands that change something, in an order in which each has something to do. */
const changing = (stage: Scene): readonly (readonly string[])[] => [
  ["create", "writer:app", "--name", "other"],
  ["run", "writer:app", "--", "true"],
  ["create", "writer:app", "--lease-stdin"],
  ["expose", "nightly"],
  ["unexpose", "nightly"],
  ["verify", "nightly"],
  ["repair", "nightly"],
  ["export", "nightly", "--to", path.join(stage.dir, "nightly.tar")],
  ["complete", "nightly", "--succeeded"],
  ["retain", "nightly", "--until", "now"],
  ["restore", "nightly", "--to", path.join(stage.dir, "elsewhere"), "--yes"],
  ["revert", "nightly", "--yes"],
  ["plugins", "new", "writer", "writer-of-a-test"],
  ["prune", "--keep-last", "1", "--yes"],
  ["delete", "latest", "--yes"],
  ["recover", "--yes"],
];

/** What this scene has no storage or etcd for, and where it is tried. */
const elsewhere = new Map([
  ["cluster hosts", "test/support/cluster/cluster-host.ts"],
  ["cluster init", "test/features/cluster.test.ts"],
  ["diff", "test/features/diff.test.ts"],
  ["import", "test/features/transport.test.ts"],
]);

async function staged(t: TestContext): Promise<Scene> {
  const stage = new Scene(t);
  for (const name of ["nightly", "nightly-of-the-web-shop"])
    assert.equal((await stage.run(["create", "writer:app", "--name", name], roles)).exitCode, 0);
  assert.equal((await stage.run(["plugins", "lock"], roles)).exitCode, 0);
  return stage;
}
const roles = { limits: patientLimits };

/** Options before what is after `--`. */
function having(args: readonly string[], ...options: readonly string[]): string[] {
  const end = args.indexOf("--");
  return args.toSpliced(end === -1 ? args.length : end, 0, ...options);
}

test("with --json every command prints one document, and it is as its schema says", async (t) => {
  const stage = await staged(t);
  const seen = new Set<string>();
  for (const args of [...looking, ...changing(stage)]) {
    const name = args.join(" ");
    const said = await holdstill(having(args, "--json", "--config", stage.configFile(roles)), { cwd: stage.dir });
    // Throws where it is not.
    const document = said.json() as object;
    assert.equal(said.exitCode, 0, `${name}: ${said.stdout}${said.stderr}`);
    assert.ok(!("error" in document) || document.error === null, name);
    for (const { name: command } of commandTable) if (`${name} `.startsWith(`${command} `)) seen.add(command);
  }
  assert.deepEqual(
    commandTable.map(({ name }) => name).filter((name) => !seen.has(name)),
    [...elsewhere.keys()],
    "a command is not tried",
  );
});

test("with --json every command prints one document where it can do nothing", async (t) => {
  const stage = await staged(t);
  for (const { name } of commandTable) {
    const said = await stage.run([...name.split(" "), "--jsno", "--json"]);
    assert.equal(said.exitCode, 2, name);
    assert.equal((said.json() as { error: { code: string } }).error.code, "E_USAGE", name);
  }
});

/** Scripts and pages, which nobody reads as they are. */
const raw = new Set(["completions", "manual", "schedule", "serve"]);
/** What cannot be broken: a path, or the sample of a figure. */
const unbroken = /\/|^(# (HELP|TYPE) )?holdstill_/;

function assertFits(shown: string, name: string): void {
  for (const line of shown.split(/\r?\n/))
    assert.ok(line.length <= 80 || unbroken.test(line), `${name}: ${line.length} columns: ${line}`);
}

test("in a pipe the lines of every command fit and have no colour", async (t) => {
  const stage = await staged(t);
  for (const args of looking.filter(([name = ""]) => !raw.has(name))) {
    const name = args.join(" ");
    const shown = await stage.run(args, roles, { env: { COLUMNS: "200", TERM: "xterm-256color" } });
    assert.doesNotMatch(shown.stdout + shown.stderr, escape, name);
    assertFits(shown.stdout, name);
  }
});

// oxlint-disable-next-line no-control-regex
const escape = /\u001B/;
// oxlint-disable-next-line no-control-regex
const colour = /\u001B\[\d+m/g;

/** What a command shows on a terminal of 80 columns, which is one that script(1) makes. */
function onTerminal(stage: Scene, args: readonly string[], env: Record<string, string>): string {
  const words = [process.execPath, program, ...having(args, "--config", stage.configFile(roles))];
  const quoted = words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(" ");
  return execFileSync("script", ["--quiet", "--command", `stty cols 80 rows 24; ${quoted}`, "/dev/null"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    cwd: stage.dir,
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", SHELL: "/bin/sh", ...env },
  });
}

/** These have nothing that is good or bad, new or old. */
const plain = new Set(["recover", "recover --dry-run", "init --print", "restore nightly --dry-run", "metrics"]);

test("on a terminal the lines of every command fit, and have colour", async (t) => {
  const stage = await staged(t);
  for (const args of looking.filter(([name = ""]) => !raw.has(name))) {
    const name = args.join(" ");
    const shown = onTerminal(stage, args, { TERM: "xterm-256color" });
    assert.equal(escape.test(shown), !plain.has(name), `${name}: ${shown}`);
    assertFits(shown.replaceAll(colour, ""), name);
  }
});

test("on a terminal what went wrong fits, too", async (t) => {
  const stage = await staged(t);
  assert.equal((await stage.run(["retain", "nightly", "--until", "30d"])).exitCode, 0);
  const wrong: readonly (readonly string[])[] = [
    ["show", "nihgtly"],
    ["plan", "/no/such/folder"],
    ["plan", "writer:app", "--require", "applicaton"],
    ["delete", "nightly", "--yes"],
    ["plugins", "why", "writer-thta"],
  ];
  for (const args of wrong) {
    const shown = onTerminal(stage, args, { TERM: "xterm-256color" }).replaceAll(colour, "");
    assert.match(shown, /^holdstill: /m, args.join(" "));
    // A path cannot be broken, and so stands alone.
    for (const line of shown.split(/\r?\n/)) assert.ok(line.length <= 80 || !line.trim().includes(" "), line);
  }
});

test("on a terminal no command has colour with NO_COLOR, or where it is dumb", async (t) => {
  const stage = await staged(t);
  const colourless = [{ TERM: "xterm-256color", NO_COLOR: "1" }, { TERM: "dumb" }];
  // In turn: one place decides for all commands.
  for (const [at, args] of looking.filter(([name = ""]) => !raw.has(name)).entries()) {
    const shown = onTerminal(stage, args, colourless[at % colourless.length] ?? {});
    assert.doesNotMatch(shown, escape, args.join(" "));
    assertFits(shown, args.join(" "));
  }
});
