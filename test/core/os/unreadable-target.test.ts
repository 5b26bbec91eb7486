/** What a target that cannot be read is refused with: the cause, and the next step that fits it. */
import assert from "node:assert/strict";
import { constants } from "node:os";
import test from "node:test";
import { isHoldstillError } from "#core/base/errors/error.js";
import { pathFailed } from "#core/os/path/refusal.js";
import { throwUnreadable } from "#core/os/unreadable-target.js";

/** include/uapi/asm-generic/errno.h; node:os does not have it. */
const EUCLEAN = 117;

/** As libuv makes it, which knows neither name. */
function failed(errno: number): Error {
  const code = `Unknown system error -${errno}`;
  return Object.assign(new Error(`${code}: ${code}, lstat '/srv'`), { errno: -errno, code });
}

test("a damaged file system is called that, with what the kernel reports of it", () => {
  for (const errno of [constants.errno.EBADMSG, EUCLEAN]) {
    assert.throws(
      () => throwUnreadable("/srv", failed(errno)),
      (error) =>
        isHoldstillError(error) &&
        error.message === "The target /srv cannot be read: its file system is damaged." &&
        /journalctl -k/.test(error.hint),
    );
    assert.match(pathFailed("Opening", "/srv", -errno).message, /the file system is damaged/);
  }
});

test("what is missing keeps the hint for paths", () => {
  const missing = Object.assign(new Error("lstat"), { errno: -constants.errno.ENOENT, code: "ENOENT" });
  assert.throws(
    () => throwUnreadable("/srv", missing),
    (error) => isHoldstillError(error) && /it does not exist/.test(error.message) && /existing path/.test(error.hint),
  );
});
