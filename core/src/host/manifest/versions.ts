/** Versions and ranges. The only importer of semver: loading all of it would take five times as long. */
import ltr from "semver/ranges/ltr.js";
import rcompare from "semver/functions/rcompare.js";
import semverSatisfies from "semver/functions/satisfies.js";
import valid from "semver/functions/valid.js";
import validRange from "semver/ranges/valid.js";

export function isVersion(version: string): boolean {
  return valid(version) === version;
}

export function isRange(range: string): boolean {
  return validRange(range) !== null;
}

/** A prerelease satisfies a range only if the range names a prerelease of the same version. */
export function satisfies(version: string, range: string): boolean {
  return semverSatisfies(version, range);
}

/** For the host itself: a prerelease accepts the plugins that its release will accept. */
export function hostSatisfies(version: string, range: string): boolean {
  return semverSatisfies(version, range, { includePrerelease: true });
}

/** Whether every version in the range is higher than this one: the plugin needs a newer host. */
export function isOlderVersion(version: string, range: string): boolean {
  return ltr(version, range, { includePrerelease: true });
}

/** For sorting, highest first. */
export function newestFirst(a: string, b: string): number {
  return rcompare(a, b);
}
