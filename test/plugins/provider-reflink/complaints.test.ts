/** What GNU cp writes, captured from coreutils 9.1. */
import assert from "node:assert/strict";
import test from "node:test";
import { lostIn } from "@holdstill/provider-reflink/dist/attributes.js";
import { readCpMessages, unquote } from "@holdstill/provider-reflink/dist/complaints.js";

const kinds = (text: string): string[] => readCpMessages(text).map((complaint) => complaint.kind);

test("a source that is gone is no fault, in whatever words cp says so", () => {
  const text = String.raw`cp: cannot stat 'srv/a': No such file or directory
cp: cannot open "srv/it's" for reading: No such file or directory
cp: cannot access 'srv/two'$'\n''lines': No such file or directory
cp: 'srv/d110': No such file or directory
cp: cannot read symbolic link 'srv/l': No such file or directory
`;
  assert.deepEqual(kinds(text), ["vanished", "vanished", "vanished", "vanished", "vanished"]);
});

test("a missing target, a full disk, and unknown messages are errors", () => {
  const text = `cp: cannot create regular file '/store/x/a': No such file or directory
cp: error writing '/store/x/a': No space left on device
cp: cannot open 'srv/a' for reading: Permission denied
cp: oh dear
`;
  assert.deepEqual(kinds(text), ["error", "error", "error", "error"]);
});

test("a file that is to be copied again is named as it is called, whatever the quotes", () => {
  const text = String.raw`cp: skipping file 'srv/'$'\303\244\n''"'\''x', as it was replaced while being copied
cp: failed to clone '/store/x/srv/hot' from "srv/it's": Invalid argument
`;
  assert.deepEqual(readCpMessages(text), [
    { kind: "replaced", source: `srv/ä\n"'x` },
    { kind: "unclonable", source: "srv/it's" },
  ]);
  assert.equal(unquote("'plain'"), "plain");
});

test("attributes that could not be kept are counted and named, and a store that takes none is refused", () => {
  const text = `cp: setting attribute 'user.large' for 'user.large': No space left on device
cp: setting attribute 'user.large' for 'user.large': No space left on device
cp: setting attribute 'trusted.x' for '/store/x.0/files/srv': Operation not supported
`;
  assert.deepEqual(lostIn(readCpMessages(text), "/store"), { count: 3, names: ["user.large", "trusted.x"] });
  assert.equal(lostIn([], "/store"), null);
  const none = "cp: setting attribute 'user.a' for 'user.a': Operation not supported";
  assert.throws(() => lostIn(readCpMessages(none), "/store"), {
    code: "STORE",
    message: "The file system of /store takes no extended attributes, and a file has user.a.",
  });
});
