/** Versions and ranges. The only importer of semver. */
import semver from "semver";

export function isVersion(version: string): boolean {
  return semver.valid(version) === version;
}

export function isRange(range: string): boolean {
  return semver.validRange(range) !== null;
}

/** A prerelease satisfies a range only if the range names a prerelease of the same version. */
export function satisfies(version: string, range: string): boolean {
  return semver.satisfies(version, range);
}

/** For the host itself: a prerelease of it runs what its release will run. */
export function hostSatisfies(version: string, range: string): boolean {
  return semver.satisfies(version, range, { includePrerelease: true });
}

/** Whether every version of the range is higher than this one: what asks for it needs a newer host. */
export function isBelow(version: string, range: string): boolean {
  return semver.ltr(version, range, { includePrerelease: true });
}

/** For sorting, highest first. */
export function newestFirst(a: string, b: string): number {
  return semver.rcompare(a, b);
}
