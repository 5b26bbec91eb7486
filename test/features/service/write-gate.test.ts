/** While one transaction of the service holds volumes, nothing that others have under way touches these, or stalls the hold. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { canMount } from "#core/os/exec/mount-tree.js";
import type { Event, SnapshotSet } from "#core/base/schema/types.js";
import { freezable, freezables } from "../../support/storage/freezable.js";
import { childrenOf } from "../../support/process/keepers.js";
import { onEnd } from "../../support/process/on-end.js";
import { monotonic, WriteProbe } from "../../support/storage/write-probe.js";
import { Service } from "../../support/process/service.js";
import { patientLimits, Scene } from "../../support/fixture/scene.js";

const skip = canMount() ? false : "file systems of its own need mounts";

/** How long the volume is held, ms: longer than the keeper waits for a sign of life. */
const heldFor = 3000;

test(
  "calls that are under way when a hold begins wait with what they write, even where the state itself is held",
  { skip },
  async (t) => {
    const stage = new Scene(t);
    const held = freezable(t, "ext4", "held");
    if (held === null) return;
    // Where a write would stop the event loop, and with it the word to release.
    const stateDir = path.join(held, "state");
    mkdirSync(stateDir, { mode: 0o700 });
    writeFileSync(path.join(held, "file"), "precious\n");
    const placed = (config: string): string => {
      const settings = JSON.parse(readFileSync(config, "utf8")) as { plugins: object[] };
      const options = { store: stage.store, hold: [held], only: [held], pointInTime: true };
      const holder = { in: "commit", does: "late", delayMs: heldFor };
      const plugins = [{ use: "provider-that", as: "holder", options: { ...options, ...holder } }, ...settings.plugins];
      writeFileSync(config, JSON.stringify({ ...settings, stateDir, plugins }));
      return config;
    };

    const before = await Service.start(t, stage, { config: placed(stage.configFile({ limits: patientLimits })) });
    const sets: string[] = [];
    for (let count = 0; count < 6; count += 1) {
      const { id } = await before.create({ targets: ["writer:app"] });
      assert.equal((await before.ended(id)).state.result.outcome, "created");
      sets.push(id);
    }
    await before.stop();

    // Whatever is asked now takes so long that it is under way when the hold begins, and its answer comes while it lasts.
    const sluggish = { eachMs: 1200 };
    const roles = { limits: patientLimits, writer: sluggish, provider: sluggish };
    const service = await Service.start(t, stage, { config: placed(stage.configFile(roles)) });
    const holding = await service.create({ targets: [held], includeRoot: true });
    const other = await service.create({ targets: ["writer:app"] });
    const [exposed, unexposed, verified, completed, deleted, restored] = sets;
    const asked = [
      service.ask("POST", `/v1/sets/${exposed}/expose`),
      service.ask("POST", `/v1/sets/${unexposed}/unexpose`),
      service.ask("POST", `/v1/sets/${verified}/verify`),
      service.ask("POST", `/v1/sets/${completed}/complete`, { body: { succeeded: true } }),
      service.ask("DELETE", `/v1/sets/${deleted}`),
      service.ask("POST", `/v1/sets/${restored}/restore`, { body: { to: path.join(stage.dir, "elsewhere") } }),
    ];
    const { state } = await service.ended(holding.id);
    assert.equal(state.result.outcome, "created", JSON.stringify(state.result.error));
    const set = (await service.ask("GET", `/v1/sets/${holding.id}`)).json<SnapshotSet>();
    assert.ok((set.hold?.heldMs ?? 0) >= heldFor);
    for (const answer of await Promise.all(asked)) assert.equal(answer.status, 200, answer.text);
    assert.equal((await service.ended(other.id)).state.result.outcome, "created");
    assert.equal((await service.ask("GET", `/v1/sets/${deleted}`)).status, 404);
  },
);

test(
  "two transactions of one service hold different volumes at once, each by a keeper of its own",
  { skip },
  async (t) => {
    const stage = new Scene(t);
    const points = freezables(t, 2, ["ext4", "xfs"]);
    if (points === null) return;
    const config = stage.configFile({ limits: patientLimits });
    const settings = JSON.parse(readFileSync(config, "utf8")) as { plugins: object[] };
    const holders = points.map((point, at) => ({
      use: "provider-that",
      as: `holder-${at}`,
      options: {
        store: stage.store,
        hold: [point],
        only: [point],
        pointInTime: true,
        in: "commit",
        does: "late",
        delayMs: 800,
      },
    }));
    writeFileSync(config, JSON.stringify({ ...settings, plugins: [...holders, ...settings.plugins] }));
    const service = await Service.start(t, stage, { config });
    const scribes = points.map((point) => new WriteProbe(t, point));
    for (const scribe of scribes) await scribe.writesAfter(0);
    let keepers = 0;
    const look = setInterval(() => {
      keepers = Math.max(keepers, childrenOf(service.child.pid ?? 0, "keeper/process/main.js").length);
    }, 50);
    onEnd(t, () => clearInterval(look));

    // Who of them is planned later may find that the other one holds already, and waits then.
    for (let round = 1, together = 0; together === 0; round += 1) {
      assert.ok(round <= 8, "they never held at once");
      const since = monotonic();
      const asked = await Promise.all(points.map((point) => service.create({ targets: [point] })));
      const held = await Promise.all(
        asked.map(async ({ id }, at) => {
          const events = (await service.allEvents(id)).map(({ event }) => event);
          const last = events.at(-1);
          assert.ok(last?.type === "ended" && last.outcome === "created", JSON.stringify(last));
          const set = (await service.ask("GET", `/v1/sets/${id}`)).json<SnapshotSet>();
          assert.equal(set.cut, "atomic");
          assert.deepEqual(
            set.hold?.targets.map(({ target: point }) => point),
            [{ kind: "fs", mount: points[at] }],
            "its own, and nobody else's",
          );
          assert.ok(set.hold.heldMs >= 800);
          return { from: timeOf(events, "commit"), to: timeOf(events, "release") };
        }),
      );
      together = Math.max(0, Math.min(...held.map(({ to }) => to)) - Math.max(...held.map(({ from }) => from)));
      for (const scribe of scribes) assert.ok(scribe.longestGap(since) >= 800, `${scribe.point} stood still`);
      t.diagnostic(`round ${round}: both held for ${together} ms`);
    }
    assert.equal(keepers, 2);
    for (const scribe of scribes) await scribe.writesAfter(monotonic());
  },
);

const timeOf = (events: readonly Event[], phase: string): number =>
  Date.parse(events.find((event) => event.type === "phase" && event.phase === phase)?.at ?? "");
