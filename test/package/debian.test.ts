/** The Debian packages, as `npm run package` makes them: installed in a clean Debian 12, upgraded, and removed, also while it is busy. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import test, { after, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { SnapshotSet } from "#core/base/schema/types.js";
import type { ScriptResult } from "../support/process/run-script.js";
import { repository } from "../support/repository.js";
import { tempDir } from "../support/storage/temp.js";
import { DebianRoot, laterVersion } from "./debian-root.js";

const suite = "bookworm";
const skip = DebianRoot.obstacle(suite) ?? false;

/** What `npm run package` has made, if it is named; else it is made here. */
const made = process.env["HOLDSTILL_PACKAGES"];
const folder = mkdtempSync(path.join(tmpdir(), "holdstill-test-packages-"));
after(() => rmSync(folder, { recursive: true }));
if (made !== undefined) cpSync(made, folder, { recursive: true });
else if (skip === false) execFileSync(process.execPath, [path.join(repository, "core/tools/dist/package.js"), folder]);
const packages = readdirSync(folder).filter((name) => name.endsWith(".deb"));
const own = packages.find((name) => name.startsWith("holdstill_")) ?? "";
const later = skip === false ? laterVersion(folder, own, "0.1.1") : "";

const config = `
plugins:
  - use: writer-exec
    as: app
    options: { freeze: [/srv/freeze], thaw: [/srv/thaw], paths: [/srv/data], tolerates: fuzzy }
  - use: provider-reflink
`;

/** An application whose freeze waits while /srv/slow exists, and that is frozen while /srv/frozen exists. */
const application = `
mkdir -p /srv/data && echo precious >/srv/data/file
printf '#!/bin/sh\\ntouch /srv/frozen; while [ -e /srv/slow ]; do sleep 0.1; done\\n' >/srv/freeze
printf '#!/bin/sh\\nrm -f /srv/frozen\\n' >/srv/thaw
chmod 755 /srv/freeze /srv/thaw
cat >/etc/holdstill/holdstill.yaml <<'END'${config}END
`;

const install = `dpkg -i ${packages.map((name) => `/packages/${name}`).join(" ")}`;

async function installed(t: TestContext): Promise<DebianRoot> {
  const debian = await DebianRoot.start(t, suite, folder);
  succeeded(await debian.run(install));
  succeeded(await debian.run(application));
  return debian;
}

function succeeded(run: ScriptResult): ScriptResult {
  assert.equal(run.exitCode, 0, run.stdout + run.stderr);
  return run;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries += 1) {
    assert.ok(tries < 600, "it does not happen");
    await sleep(50);
  }
}

const holds = async (debian: DebianRoot, line: string): Promise<boolean> => (await debian.run(line)).exitCode === 0;

test("lintian finds nothing", { skip: skip || !existsSync("/usr/bin/lintian") }, (t) => {
  const files = packages.map((name) => path.join(folder, name));
  const run = spawnSync("lintian", ["--fail-on=error,warning", "--allow-root", ...files], {
    encoding: "utf8",
    env: { ...process.env, TMPDIR: tempDir(t) },
  });
  assert.deepEqual([run.status, run.stdout], [0, ""], run.stderr);
});

test(
  "from nothing to a set that can be read in two commands, and after a purge nothing is left",
  { skip },
  async (t) => {
    const debian = await DebianRoot.start(t, suite, folder);
    const before = await debian.files();
    const started = performance.now();
    succeeded(await debian.run(install));
    succeeded(await debian.run("mkdir /srv/data && echo precious >/srv/data/file"));
    const created = succeeded(await debian.run("holdstill create /srv/data --name first"));
    t.diagnostic(`${((performance.now() - started) / 1000).toFixed(1)} s from nothing to a set`);
    assert.match(created.stdout, /^Set \S+ \(first\)/);
    const shown = succeeded(await debian.run("holdstill expose first --json"));
    const { exposed } = JSON.parse(shown.stdout) as SnapshotSet;
    const tree = exposed?.[0]?.exposed.trees[0]?.path ?? "";
    assert.equal(succeeded(await debian.run(`cat ${tree}/file`)).stdout, "precious\n");
    succeeded(await debian.run("holdstill unexpose first"));
    const doctor = await debian.run("holdstill doctor");
    assert.ok(doctor.exitCode === 0 || doctor.exitCode === 3, doctor.stdout + doctor.stderr);
    assert.match(
      (await debian.run("holdstill plugins list")).stdout,
      /^ *\/usr\/lib\/holdstill\/program\/plugins\/provider-reflink$/m,
    );
    const units = await debian.run("holdstill serve --print-unit");
    assert.match(units.stdout, /^ExecStart=\/usr\/bin\/holdstill serve /m);
    assert.equal((await debian.run("stat -c %a /var/lib/holdstill")).stdout, "700\n");

    succeeded(await debian.run("dpkg --remove holdstill"));
    const kept = succeeded(await debian.run("dpkg --purge holdstill"));
    assert.match(kept.stderr, /\/var\/lib\/holdstill and \/etc\/holdstill are kept/);
    succeeded(await debian.run(install));
    assert.match((await debian.run("holdstill list")).stdout, /first/);
    succeeded(await debian.run("holdstill run /srv/data -- true"));
    succeeded(await debian.run("holdstill delete first --yes"));
    succeeded(await debian.run("dpkg --purge holdstill holdstill-node"));
    assert.deepEqual(await leftIn(debian, before), []);
  },
);

async function leftIn(debian: DebianRoot, before: readonly string[]): Promise<string[]> {
  const found = await debian.files();
  return [...found.filter((file) => !before.includes(file)), ...before.filter((file) => !found.includes(file))].filter(
    (file) => !isOther(file),
  );
}

/** The test's data, and the copies that groupadd(8) keeps of the files that it changes. */
const isOther = (file: string): boolean => file.startsWith("/srv/") || /^\/etc\/(?:g?shadow|group|passwd)-$/.test(file);

test("without a Node.js that fits, the program names the packages that have one", { skip }, async (t) => {
  const debian = await DebianRoot.start(t, suite, folder);
  succeeded(await debian.run(`dpkg -i --force-depends /packages/${own}`));
  const run = await debian.run("holdstill list");
  assert.equal(run.exitCode, 2);
  assert.match(run.stderr, /Node\.js 20\.19 or later is required.*\n→ Install one of the packages/);
  // Debian 12's own.
  succeeded(await debian.run("printf '#!/bin/sh\\necho v18.20.4\\n' >/usr/bin/node && chmod 755 /usr/bin/node"));
  assert.equal((await debian.run("holdstill list")).exitCode, 2);
  succeeded(await debian.run(install));
  succeeded(await debian.run("holdstill list"));
});

test(
  "an upgrade, a removal, and an installation over it are refused while a set is read or an application is frozen",
  { skip },
  async (t) => {
    const debian = await installed(t);
    // The bundled plugins change with the package, and the lock does not stop them.
    succeeded(await debian.run("holdstill plugins lock"));
    const reading = debian.start(
      "holdstill run /srv/data -- sh -c 'touch /srv/reading; while [ -e /srv/reading ]; do sleep 0.1; done'",
    );
    await until(() => holds(debian, "[ -e /srv/reading ]"));
    for (const line of [`dpkg -i /packages/${later}`, "dpkg --remove holdstill", "dpkg --purge holdstill"]) {
      const refused = await debian.run(`HOLDSTILL_UPGRADE_WAIT=1 ${line}`);
      assert.notEqual(refused.exitCode, 0, line);
      assert.match(refused.stderr, /A snapshot is being taken, read, or removed/, line);
      assert.equal(
        (await debian.run("dpkg-query -W -f '${Status} ${Version}' holdstill")).stdout.split(" ").at(-1),
        own.split("_")[1],
      );
      assert.match((await debian.run("dpkg-query -W -f '${Status}' holdstill")).stdout, / ok installed$/, line);
      succeeded(await debian.run("holdstill list"));
    }
    // It waits for what ends in time.
    const upgrade = debian.start(`dpkg -i /packages/${later}`);
    await sleep(1500);
    assert.equal(upgrade.child.exitCode, null);
    succeeded(await debian.run("rm /srv/reading"));
    succeeded(await reading.result);
    succeeded(await upgrade.result);
    assert.equal((await debian.run("holdstill --version")).stdout, "holdstill 0.1.1\n");

    succeeded(await debian.run("touch /srv/slow"));
    const creating = debian.start("holdstill create writer:app --name slow");
    await until(() => holds(debian, "[ -e /srv/frozen ]"));
    assert.notEqual((await debian.run("HOLDSTILL_UPGRADE_WAIT=1 dpkg --remove holdstill")).exitCode, 0);
    succeeded(await debian.run("rm /srv/slow"));
    succeeded(await creating.result);
    assert.equal(await holds(debian, "[ -e /srv/frozen ]"), false);
    succeeded(await debian.run("holdstill delete slow --yes && dpkg --remove holdstill"));
  },
);

test(
  "kill -9 of dpkg while an upgrade waits for a frozen application harms neither, and the upgrade can be made again",
  { skip },
  async (t) => {
    const debian = await installed(t);
    succeeded(await debian.run("touch /srv/slow"));
    const creating = debian.start("holdstill create writer:app --name kept");
    await until(() => holds(debian, "[ -e /srv/frozen ]"));
    const upgrade = debian.start(`exec dpkg -i /packages/${later}`);
    await until(() => holds(debian, "grep -qs [p]rerm /proc/[0-9]*/cmdline"));
    succeeded(await debian.run("kill -9 $(cat /proc/[0-9]*/stat | sed -n 's/^\\([0-9]*\\) (dpkg) .*/\\1/p')"));
    await upgrade.result;
    succeeded(await debian.run("rm /srv/slow"));
    succeeded(await creating.result);
    assert.equal(await holds(debian, "[ -e /srv/frozen ]"), false);
    await until(async () => !(await holds(debian, "grep -qs [p]rerm /proc/[0-9]*/cmdline")));
    assert.match((await debian.run("holdstill list")).stdout, /kept/, "no file was replaced");
    succeeded(await debian.run(`dpkg --unpack /packages/${later}`));
    assert.match((await debian.run("holdstill list")).stdout, /kept/, "the files are those of one version");
    succeeded(await debian.run("dpkg --configure -a"));
    assert.match((await debian.run("dpkg-query -W -f '${Status}' holdstill")).stdout, / ok installed$/);
    succeeded(await debian.run("holdstill expose kept && holdstill unexpose kept"));
    assert.equal((await debian.run("holdstill recover --dry-run")).stdout, "Nothing is left over.\n");
  },
);

test(
  "kill -9 of dpkg while it replaces files: the program refuses to start, and the package installed again has the set",
  { skip },
  async (t) => {
    const debian = await installed(t);
    succeeded(await debian.run("holdstill create writer:app --name kept"));
    const large = "/usr/lib/holdstill/program/core/bin/large.dpkg-new";
    const upgrade = debian.start(`exec dpkg -i /packages/${later}`);
    succeeded(
      await debian.run(
        `until [ -e ${large} ]; do :; done; kill -9 $(cat /proc/[0-9]*/stat | sed -n 's/^\\([0-9]*\\) (dpkg) .*/\\1/p')`,
      ),
    );
    await upgrade.result;
    const refused = await debian.run("holdstill list");
    assert.equal(refused.exitCode, 2, refused.stdout);
    assert.match(refused.stderr, /An upgrade of the package did not end.*\n→ Run `dpkg --configure -a`/);
    assert.equal(await holds(debian, "[ -e /srv/frozen ]"), false);
    await debian.run("dpkg --configure -a");
    succeeded(await debian.run(`dpkg -i /packages/${later}`));
    succeeded(await debian.run("holdstill expose kept && holdstill unexpose kept"));
    assert.equal((await debian.run("holdstill recover --dry-run")).stdout, "Nothing is left over.\n");
  },
);
