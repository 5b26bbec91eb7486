import { realpathSync, statSync } from "node:fs";
import path from "node:path";

/** What an administrator installed. On some systems a group may write there. */
const localFolders = "/usr/local/sbin:/usr/local/bin";
/** Includes the folders of root's programs: an ordinary user's PATH lacks the sbin folders, which have storage and database tools. */
const systemFolders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/**
 * The host's own variables that a plugin or a command gets: PATH, HOME, LANG, and TZ if it is set. Nothing else of the
 * host's environment is passed on, so that a secret in it stays here. Of the host's PATH, only folders count that no other user can change.
 */
export function baseEnvironment(host: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const own = ownFolders(`${host["PATH"] ?? ""}:${localFolders}`);
  return {
    PATH: [...new Set([...own, ...systemFolders])].join(":"),
    HOME: host["HOME"] ?? "/",
    LANG: host["LANG"] ?? "C.UTF-8",
    ...(host["TZ"] === undefined ? {} : { TZ: host["TZ"] }),
    // The folder in which Node writes its coverage. Without it, nothing that runs in a worker would be counted.
    ...(host["NODE_V8_COVERAGE"] === undefined ? {} : { NODE_V8_COVERAGE: host["NODE_V8_COVERAGE"] }),
  };
}

const known = new Map<string, readonly string[]>();

/** Looked at once: a plugin's commands must not be found in another folder from one call to the next. */
function ownFolders(searchPath: string): readonly string[] {
  const kept = known.get(searchPath) ?? searchPath.split(":").filter(isOurs);
  known.set(searchPath, kept);
  return kept;
}

/** Whether the folder, and all above it, belong to root or to this process's user, and no other user can rename in them. */
function isOurs(folder: string): boolean {
  if (!path.isAbsolute(folder)) return false;
  try {
    for (let at = realpathSync(folder), inner = ""; at !== inner; inner = at, at = path.dirname(at)) {
      const { uid, mode } = statSync(at);
      const isSticky = (mode & 0o1000) !== 0 && inner !== "";
      if ((uid !== 0 && uid !== process.geteuid?.()) || ((mode & 0o022) !== 0 && !isSticky)) return false;
    }
    return true;
  } catch {
    return false;
  }
}
