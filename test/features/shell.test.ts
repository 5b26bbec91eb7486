/** What other programs read: bash's completions, man's page, Prometheus's figures. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { commandTable } from "#core/cli/table.js";
import { type CliRun, holdstill, program } from "../support/process/command-line.js";
import { Scene } from "../support/fixture/scene.js";
import { tempDir } from "../support/storage/temp.js";

const has = (name: string): boolean => spawnSync("sh", ["-c", `command -v ${name}`]).status === 0;

test("bash completes commands, their options, and words of two", async (t) => {
  const file = path.join(tempDir(t), "holdstill.bash");
  writeFileSync(file, (await holdstill(["completions", "bash"])).stdout);
  const completed = (...words: string[]): string[] => {
    const script = `. ${file}; COMP_WORDS=(holdstill ${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length}; _holdstill; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync("bash", ["-euc", script], { encoding: "utf8" })
      .split("\n")
      .filter((word) => word !== "");
  };
  const firsts = new Set(commandTable.map(({ name }) => name.split(" ")[0] ?? name));
  assert.deepEqual(completed("").toSorted(), [...firsts, "--help", "--version"].toSorted());
  assert.deepEqual(completed("prune", "--keep-w"), ["--keep-weekly", "--keep-within"]);
  assert.deepEqual(completed("plugins", "l"), ["list", "lock"]);
  assert.deepEqual(completed("plugins", "list", "--js"), ["--json"]);
  assert.deepEqual(completed("create", "--require", "f"), ["filesystem"]);
  assert.deepEqual(completed("create", "--require", "=", "n"), ["none"]);
  assert.deepEqual(completed("prune", "--keep-daily", ""), []);
  assert.equal((await holdstill(["completions", "fishy"])).exitCode, 2);
});

test("bash completes ids and names of sets, and the writers of the config", async (t) => {
  const stage = new Scene(t);
  const made = await stage.run(["create", "writer:app", "--name", "nightly", "--quiet"]);
  const bin = path.join(stage.dir, "bin");
  mkdirSync(bin);
  const own = `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@" --config '${stage.configFile()}'\n`;
  writeFileSync(path.join(bin, "holdstill"), own, { mode: 0o755 });
  const file = path.join(stage.dir, "holdstill.bash");
  writeFileSync(file, (await holdstill(["completions", "bash"])).stdout);
  const completed = (...words: string[]): string[] => {
    const script = `. ${file}; COMP_WORDS=(holdstill ${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length}; _holdstill; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}` };
    return execFileSync("bash", ["-uc", script], { encoding: "utf8", env, cwd: stage.app })
      .split("\n")
      .filter((word) => word !== "");
  };
  assert.deepEqual(completed("show", ""), ["latest", "nightly", made.stdout.trim()]);
  assert.deepEqual(completed("create", "wri"), ["writer:app"]);
  assert.deepEqual(completed("run", "writer", ":"), ["app"]);
  assert.deepEqual(completed("run", "writer", ":", "a"), ["app"]);
});

for (const shell of ["zsh", "fish"]) {
  test(`${shell} reads its completions`, { skip: has(shell) ? false : `${shell} is not installed` }, async (t) => {
    const file = path.join(tempDir(t), "completions");
    writeFileSync(file, (await holdstill(["completions", shell])).stdout);
    execFileSync(shell, ["-n", file]);
  });
}

test(
  "fish completes commands, their options, and words of two",
  { skip: has("fish") ? false : "fish is not installed" },
  async (t) => {
    const dir = tempDir(t);
    const file = path.join(dir, "holdstill.fish");
    writeFileSync(file, (await holdstill(["completions", "fish"])).stdout);
    const completed = (line: string): string[] => {
      const script = `source ${file}; complete -C "holdstill ${line}"`;
      const told = execFileSync("fish", ["--no-config", "-c", script], { encoding: "utf8", cwd: dir });
      return told.split("\n").flatMap((one) => one.split("\t", 1)[0] || []);
    };
    const firsts = new Set(commandTable.map(({ name }) => name.split(" ")[0] ?? name));
    assert.deepEqual(completed("").toSorted(), [...firsts].toSorted());
    assert.deepEqual(completed("prune --keep-w"), ["--keep-weekly", "--keep-within"]);
    assert.deepEqual(completed("plugins l"), ["list", "lock"]);
    assert.deepEqual(completed("plugins list --f"), []);
    assert.deepEqual(completed("list --f"), ["--usage"]);
  },
);

test(
  "man reads the manual without a complaint, and it has every command",
  { skip: has("groff") ? false : "groff is not installed" },
  async () => {
    const { stdout } = await holdstill(["manual"]);
    const { stdout: page, stderr } = spawnSync("groff", ["-ww", "-man", "-Tascii"], {
      input: stdout,
      encoding: "utf8",
    });
    assert.equal(stderr, "");
    for (const { name } of commandTable)
      assert.ok(stdout.includes(`.SS ${name.replaceAll("-", String.raw`\-`)}`), name);
    // groff prints bold letters twice, with a backspace between.
    const plain = page.replaceAll(new RegExp(`.${String.fromCharCode(8)}`, "g"), "");
    for (const heading of ["EXIT STATUS", "ENVIRONMENT", "FILES", "SEE ALSO"])
      assert.match(plain, new RegExp(`^${heading}`, "m"));
  },
);

test("the figures are in Prometheus's format, each sample once, and written as a whole", async (t) => {
  const stage = new Scene(t);
  await stage.run(["create", "writer:app", "--name", 'odd "name" \\']);
  await stage.run(["create", "writer:app"], { writer: { in: "freeze", does: "throws" } });
  const file = path.join(stage.dir, "holdstill.prom");
  assert.equal((await stage.run(["metrics", "--file", file])).exitCode, 0);
  assert.ok(!existsSync(`${file}.draft`));
  const samples = readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .filter((line) => !line.startsWith("#"));
  for (const line of samples)
    assert.match(line, /^holdstill_[a-z_]+\{[a-z]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z]+="[^"]*")*\} [0-9.e+-]+$/);
  const names = samples.map((line) => line.slice(0, line.lastIndexOf(" ")));
  assert.equal(new Set(names).size, names.length);
  assert.ok(samples.includes('holdstill_transactions_total{outcome="aborted"} 1'));
  assert.ok(samples.includes('holdstill_failures_total{actor="app"} 1'));
  assert.ok(names.includes(String.raw`holdstill_sets{name="odd \"name\" \\"}`));
});

test("schedule makes units that systemd accepts, and writes over none", async (t) => {
  const dir = tempDir(t);
  const odd = `echo "50%" $HOME '\\'`;
  const args = ["schedule", "nightly", "/srv", "--on", "*-*-* 02:30", "--write", dir, "--", "sh", "-c", odd];
  assert.equal((await holdstill(args)).exitCode, 2, "it asks first");
  assert.equal((await holdstill([...args.slice(0, 5), "--yes", ...args.slice(5)])).exitCode, 0);
  const service = path.join(dir, "holdstill-nightly.service");
  const text = readFileSync(service, "utf8");
  assert.ok(text.includes(String.raw`-- sh -c "echo \"50%%\" $$HOME '\\'"`), text);
  assert.equal(
    (await holdstill([...args.slice(0, 5), "--yes", ...args.slice(5)])).exitCode,
    2,
    "they are there already",
  );
  if (has("systemd-analyze")) {
    const units = [service, path.join(dir, "holdstill-nightly.timer")];
    const { status, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", ...units], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
  }
  assert.match(text, /^SyslogIdentifier=holdstill-nightly$[^]*^EnvironmentFile=-\/etc\/holdstill\/nightly\.env$/m);
  const printed = await holdstill(["schedule", "n", "/srv", "--on", "daily", "--", "true"]);
  assert.match(printed.stdout, /^# holdstill-n\.timer$[^]*^OnCalendar=daily$/m);
});

test("schedule passes options on, and refuses what would fail every night", async (t) => {
  const stage = new Scene(t);
  const config = stage.configFile();
  const schedule = (...args: string[]): Promise<CliRun> =>
    holdstill(["schedule", "n", ...args, "--config", config, "--", "true"]);
  const given = [
    "--keep",
    "--require",
    "application",
    "--environment",
    "/etc/b.env",
    "--on-failure",
    "mail@%n.service",
  ];
  const { stdout } = await schedule("writer:app", "--on", "daily", ...given);
  assert.match(stdout, /^ExecStart=.* run writer:app --name n --config \S+ --require application --keep -- true$/m);
  assert.match(stdout, /^OnFailure=mail@%n\.service$[^]*^EnvironmentFile=-\/etc\/b\.env$/m);
  const unknown = await schedule("writer:ap", "--on", "daily");
  assert.match(unknown.stderr, /no writer instance `ap`. Did you mean `app`\?/);
  const missing = await schedule(path.join(stage.dir, "srvv"), "--on", "daily");
  assert.match(missing.stderr, /srvv cannot be read: it does not exist/);
  const found = await holdstill(["schedule", "n", "writer:app", "--on", "daily", "--", "true"], {
    env: { HOLDSTILL_CONFIG: config, HOLDSTILL_STATE_DIR: path.join(stage.dir, "100% $x") },
  });
  assert.ok(found.stdout.includes(`\nEnvironment="HOLDSTILL_STATE_DIR=${stage.dir}/100%% $x"\n`), found.stdout);
  assert.ok(found.stdout.includes(`--name n --config ${config} -- true`), "the service has another environment");
  const relative = await holdstill(["schedule", "n", "data", "--on", "daily", "--", "true"], { cwd: stage.app });
  assert.match(relative.stdout, new RegExp(`run ${stage.app}/data --name`));
  const nowhere = await schedule("writer:app", "--on", "daily", "--write", "/no/such/folder", "--yes");
  assert.deepEqual([nowhere.exitCode, /cannot be written/.test(nowhere.stderr)], [2, true], nowhere.stderr);
  if (!has("systemd-analyze")) return;
  const never = await schedule("writer:app", "--on", "dayly");
  assert.deepEqual([never.exitCode, /`dayly` is not a calendar event/.test(never.stderr)], [2, true], never.stderr);
});
