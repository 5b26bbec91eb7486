/** Includes the folders of root's programs: an ordinary user's PATH lacks the sbin folders, which have storage and database tools. */
const folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/**
 * The host's own variables that a plugin or a command gets: PATH, HOME, LANG, and TZ if it is set. Nothing else of the
 * host's environment is passed on, so that a secret in it stays here.
 */
export function baseEnvironment(host: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const own = (host["PATH"] ?? "").split(":").filter((folder) => folder.startsWith("/"));
  return {
    PATH: [...new Set([...own, ...folders])].join(":"),
    HOME: host["HOME"] ?? "/",
    LANG: host["LANG"] ?? "C.UTF-8",
    ...(host["TZ"] === undefined ? {} : { TZ: host["TZ"] }),
    // The folder in which Node writes its coverage. Without it, nothing that runs in a worker would be counted.
    ...(host["NODE_V8_COVERAGE"] === undefined ? {} : { NODE_V8_COVERAGE: host["NODE_V8_COVERAGE"] }),
  };
}
