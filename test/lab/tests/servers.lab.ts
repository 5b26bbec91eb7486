/** Real database servers on a logical volume of the guest. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import test from "node:test";
import { onEnd } from "../../support/process/on-end.js";
import { debian15, embeddedBindir, missingPostgres } from "../../support/server/postgres-binaries.js";
import { startPostgres } from "../../support/server/postgres-server.js";
import { Mariadb } from "../support/mariadb.js";
import { VolumeGroup } from "../support/volume-group.js";

const bindir = existsSync(debian15) ? debian15 : undefined;

test("PostgreSQL starts on ext4 on LVM and keeps what it is told", { skip: missingPostgres(bindir) }, async (t) => {
  const { mount } = new VolumeGroup(t).thick("postgres", "ext4", 300);
  const server = await startPostgres({ bindir: bindir ?? embeddedBindir() ?? "", dataDir: `${mount}/data` });
  onEnd(t, async () => await server.stop("immediate"));
  await server.query("CREATE TABLE precious AS SELECT 42 AS answer");
  await server.halt("immediate");
  await server.start();
  assert.deepEqual(await server.query("SELECT answer FROM precious"), [{ answer: 42 }]);
});

const mariadbd = "/usr/sbin/mariadbd";
const missingMariadb =
  process.env["CI"] !== "true" && !existsSync(mariadbd) && "Debian's mariadb-server is not installed";

test("MariaDB starts on ext4 on LVM and keeps what it is told", { skip: missingMariadb }, async (t) => {
  const { mount } = new VolumeGroup(t).thick("mariadb", "ext4", 300);
  const server = new Mariadb(`${mount}/data`);
  onEnd(t, async () => await server.stop());
  await server.start();
  server.ask("CREATE DATABASE d; CREATE TABLE d.precious ENGINE=InnoDB AS SELECT 42 AS answer");
  await server.stop();
  await server.start();
  assert.equal(server.ask("SELECT answer FROM d.precious").trim(), "42");
});
