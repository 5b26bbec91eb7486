import assert from "node:assert/strict";
import test from "node:test";
import { historyFile, parseLsn, segmentName, segmentNumber, walRange } from "@holdstill/writer-postgres/dist/wal.js";

const mib = 1024 * 1024;

function label(lsn: string, file: string): string {
  return `START WAL LOCATION: ${lsn} (file ${file})\nCHECKPOINT LOCATION: ${lsn}\nBACKUP METHOD: streamed\nSTART TIMELINE: 1\n`;
}

test("a WAL position is a number of bytes in two hexadecimal halves", () => {
  assert.equal(parseLsn("0/0"), 0n);
  assert.equal(parseLsn("16/B374D848"), 0x16_b374_d848n);
  assert.throws(() => parseLsn("16"), /not a WAL position/);
});

test("a WAL file's name carries into the upper half after 4 GiB, whatever the file size", () => {
  assert.equal(segmentName(1, 2n, 16 * mib), "000000010000000000000002");
  assert.equal(segmentName(1, 255n, 16 * mib), "0000000100000000000000FF");
  assert.equal(segmentName(1, 256n, 16 * mib), "000000010000000100000000");
  assert.equal(segmentName(26, 4n, 1024 * mib), "0000001A0000000100000000");
});

test("a name gives the number back, and other files have none", () => {
  for (const number of [2n, 255n, 256n, 70_000n])
    assert.equal(segmentNumber(segmentName(3, number, 16 * mib), 16 * mib), number);
  assert.equal(segmentNumber("0000001A0000000100000000", 1024 * mib), 4n);
  for (const name of ["00000002.history", "archive_status", "000000010000000000000002.partial"])
    assert.equal(segmentNumber(name, 16 * mib), undefined);
});

test("the range goes from the label's start through the last byte before the stop", () => {
  const start = label("0/2000028", "000000010000000000000002");
  const of = (stop: string): readonly string[] => walRange(start, stop, 16 * mib).segments;
  assert.deepEqual(of("0/2000138"), ["000000010000000000000002"]);
  assert.deepEqual(
    of("0/3000000"),
    ["000000010000000000000002"],
    "a stop on the border needs nothing of the next file",
  );
  assert.deepEqual(of("0/3000001"), ["000000010000000000000002", "000000010000000000000003"]);

  const late = label("0/FF000028", "0000000300000000000000FF");
  assert.deepEqual(walRange(late, "1/1000000", 16 * mib), {
    timeline: 3,
    segments: ["0000000300000000000000FF", "000000030000000100000000"],
  });
  assert.throws(() => walRange("nonsense", "0/1", 16 * mib), /no start in backup_label/);
});

test("only a timeline that came from another has a history", () => {
  assert.equal(historyFile(1), undefined);
  assert.equal(historyFile(26), "0000001A.history");
});
