import { statSync } from "node:fs";
import type { Who } from "../base/errors/details.js";
import { HoldstillError } from "../base/errors/error.js";
import type { Exposed, Finding, Volume } from "../base/schema/types.js";

/**
 * Checks what no schema can of the result of expose: a provider shows what was captured, and nothing else. That is the captured paths of
 * a file system, or a device with the contents of a raw one.
 *
 * @param volume What the snapshot captured; undefined: the record does not have it.
 * @throws HoldstillError E_ANSWER_INVALID
 */
export function checkExposeAnswer(who: Who, exposed: Exposed, volume: Volume | undefined): void {
  const captured = volume?.paths ?? [];
  const { trees, devices = [] } = exposed;
  const findings =
    volume?.kind === "block"
      ? [...wrongNumber("trees", trees, "none of a raw device", 0), ...wrongDevices(devices, captured)]
      : [...wrongNumber("devices", devices, "none of a file system", 0), ...wrongTrees(trees, captured)];
  const wrong = findings.map((one) => ({ file: `${who.instance}.expose()`, ...one }));
  if (wrong.length > 0) throw new HoldstillError("E_ANSWER_INVALID", { who, op: "expose", findings: wrong });
}

type Wrong = Pick<Finding, "pointer" | "seen" | "expected">;

function wrongTrees(trees: Exposed["trees"], captured: readonly string[]): Wrong[] {
  if (trees.length === 0) return [{ pointer: "/trees", seen: "[]", expected: "at least one" }];
  return trees.flatMap(({ original }, at) => notCaptured(`/trees/${at}/original`, original, captured));
}

function wrongDevices(devices: NonNullable<Exposed["devices"]>, captured: readonly string[]): Wrong[] {
  const found = devices.flatMap(({ original, path }, at): Wrong[] => {
    const own = deviceAt(path);
    const expected = "a block device that is not the original";
    const isOther = own !== null && own !== deviceAt(original);
    return [
      ...notCaptured(`/devices/${at}/original`, original, captured),
      ...(isOther ? [] : [{ pointer: `/devices/${at}/path`, seen: path, expected }]),
    ];
  });
  return [...wrongNumber("devices", devices, "the one that was captured", 1), ...found];
}

const wrongNumber = (of: string, all: readonly unknown[], expected: string, number: number): Wrong[] =>
  all.length === number ? [] : [{ pointer: `/${of}`, seen: `${all.length}`, expected }];

const notCaptured = (pointer: string, seen: string, captured: readonly string[]): Wrong[] =>
  captured.includes(seen) ? [] : [{ pointer, seen, expected: captured.join(" or ") }];

/** Its number; null: it is not a block device. */
function deviceAt(node: string): number | null {
  const status = statSync(node, { throwIfNoEntry: false });
  return status?.isBlockDevice() === true ? status.rdev : null;
}
