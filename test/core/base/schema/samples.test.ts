import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { validate, type SchemaName } from "#core/base/schema/validate.js";
import { repository } from "../../../support/repository.js";

const samples = path.join(repository, "schemas/samples");

/** Of each invalid sample: where its one finding points. */
const faults: Record<string, string> = {
  "audit.unknown-action": "/action",
  "clock.negative-sequence": "/sequence",
  "cluster.host-with-a-slash": "/hosts/0/host",
  "cluster.verdict-perhaps": "/verdict",
  "command-line.doctor.unknown-state": "/checks/0/state",
  "command-line.error.with-a-set": "/set",
  "command-line.plan.with-more": "/mood",
  "command-line.recover.nothing-of-that-kind": "/leftovers/0",
  "command-line.run.ended-in-words": "/command/exitCode",
  "components.no-paths": "/0/paths",
  "components.none": "",
  "components.relative-path": "/0/paths/0",
  "components.same-path-twice": "/0/paths",
  "components.unknown-level": "/0/level",
  "components.unknown-tolerance": "/0/tolerates",
  "config.cluster-without-etcd": "/cluster/endpoints",
  "config.duration-of-nothing": "/limits/hold",
  "config.duration-without-unit": "/limits/hold",
  "config.instance-without-use": "/plugins/0",
  "config.misspelt-limit": "/limits/freez",
  "config.path-as-plugin": "/plugins/0/use",
  "config.plugins-as-object": "/plugins",
  "config.unknown-policy": "/plugins/0/policy",
  "conformance-fixture.command-as-list": "/probe",
  "conformance-fixture.misspelt-property": "/loseFreese",
  "conformance-fixture.relative-target": "/targets/0",
  "conformance-report.failure-without-next": "/checks/0",
  "conformance-report.status-that-does-not-exist": "/checks/0",
  "event.call-without-status": "",
  "event.code-that-is-no-code": "/error/code",
  "event.ended-without-residue": "",
  "event.phase-with-a-stranger": "/limit",
  "event.unknown-type": "",
  "export.unknown-form": "/contents/0/form",
  "history.no-such-outcome": "/outcome",
  "journal.id-that-leads-elsewhere": "/id",
  "lock.later-version": "/lockVersion",
  "lock.no-manifest": "/plugins/0/files",
  "lock.other-hash": "/plugins/0/content",
  "lock.plugins-by-name": "/plugins",
  "plugin-manifest.command-with-a-path": "/requires/commands/0",
  "plugin-manifest.main-outside-the-folder": "/main",
  "plugin-manifest.misspelt-property": "/isolaton",
  "plugin-manifest.no-protocol": "/protocol",
  "plugin-manifest.no-version": "",
  "plugin-manifest.unknown-kind": "/kind",
  "service.completion.perhaps": "/succeeded",
  "service.health.right-that-does-not-exist": "/you/rights/0",
  "service.keptOperation.short-fingerprint": "/key/fingerprint",
  "service.operation.id-that-leads-elsewhere": "/id",
  "service.planRequest.no-target": "/targets",
  "service.problem.success": "/status",
  "service.restoreRequest.relative": "/to",
  "service.setRequest.lease-without-unit": "/lease",
  "service.setRequest.relative-target": "/targets/0",
  "snapshot-set.consistency-that-does-not-exist": "/consistency",
  "snapshot-set.id-of-another-form": "/id",
  "snapshot-set.negative-freeze": "/frozenMs",
  "snapshot-set.no-timeline": "",
  "snapshot-set.volume-without-paths": "/volumes/0/paths",
  "snapshot-set.writer-in-unknown-state": "/writers/0/state",
  "tombstone.of-nothing": "/snapshots",
};

for (const name of namesIn("valid")) {
  test(`the sample ${name} is accepted`, () => {
    assert.deepEqual(checked("valid", name), { ok: true, value: read("valid", name) });
  });
}

for (const name of namesIn("invalid")) {
  test(`the sample ${name} is rejected for its one fault`, () => {
    const result = checked("invalid", name);
    assert.deepEqual(result.ok ? "accepted" : result.findings.map(({ pointer }) => pointer), [faults[name]]);
  });
}

test("every schema has valid and invalid samples, and every fault its sample", () => {
  const schemas = readdirSync(path.dirname(samples))
    .filter((file) => file.endsWith(".schema.json") && !file.startsWith("contract."))
    .map((file) => file.split(".")[0]);
  for (const kind of ["valid", "invalid"]) {
    assert.deepEqual([...new Set(namesIn(kind).map((name) => name.split(".")[0]))], schemas, kind);
  }
  assert.deepEqual(namesIn("invalid"), Object.keys(faults));
});

function namesIn(kind: string): string[] {
  const files = readdirSync(path.join(samples, kind));
  return files.map((file) => path.basename(file, ".json")).toSorted();
}

function read(kind: string, name: string): unknown {
  return JSON.parse(readFileSync(path.join(samples, kind, `${name}.json`), "utf8"));
}

function checked(kind: string, name: string) {
  const [document = "", part] = name.split(".");
  // What the service is asked and answers is in one document, and so is what commands print.
  const schema = document === "service" || document === "command-line" ? `${document}#/$defs/${part}` : document;
  return validate(schema as SchemaName, read(kind, name), name);
}
