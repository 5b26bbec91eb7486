export const maintainer = "holdstill maintainers <maintainers@holdstill.invalid>";

/** The version in Debian: a pre-release comes before its release. */
export const revisionOf = (version: string): string => `${version.replace("-", "~")}-1`;

/** The changelog of the packaging, deb-changelog(5). What changed in the program is in its own. @param date Seconds. */
export function changelogOf(name: string, version: string, date: number): string {
  const at = new Date(date * 1000).toUTCString().replace("GMT", "+0000");
  return `${name} (${revisionOf(version)}) unstable; urgency=medium\n\n  * Version ${version}.\n\n -- ${maintainer}  ${at}\n`;
}
