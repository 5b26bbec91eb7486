import { chase, type WayRules } from "./chase.js";
import { O_CLOEXEC, O_PATH, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } from "./flags.js";
import { FolderHandle } from "./folder.js";
import { PathHandle } from "./handle.js";
import { EAGAIN, ENOENT, pathFailed } from "./refusal.js";

/** Times that openat2(2) is asked again because something was renamed meanwhile, as its page recommends. */
const ATTEMPTS = 16;

/**
 * Opens a path inside a snapshot as if the snapshot's folder were `/`: absolute links, `..` and links to them lead to what was captured,
 * and never to the host. RESOLVE_IN_ROOT of openat2(2), or the same part by part. Compare what comes out with what was planned, by
 * `status().identity`: a link may have taken the place of a folder before the cut.
 *
 * @throws HoldstillError E_PATH_FAILED where there is no such path in the snapshot
 */
export function openInside(root: FolderHandle, path: string): PathHandle {
  const { sys } = root;
  const how = { flags: O_PATH | O_CLOEXEC, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
  const label = `${root.path}/${path.replace(/^\/+/, "")}`;
  let fd = -EAGAIN;
  for (let attempt = 0; fd === -EAGAIN && attempt < ATTEMPTS; attempt += 1) fd = sys.openat2(root.fd, path || "/", how);
  if (fd === -ENOENT) throw pathFailed("Opening", label, fd);
  return fd >= 0 ? new PathHandle(fd, label, sys) : chase(sys, again(root), path, anything);
}

const anything: WayRules = { check: () => undefined, checkLink: () => undefined, make: () => null };

/** The same folder by another descriptor: chase() closes the one that it is given. */
function again({ fd, path, sys }: FolderHandle): FolderHandle {
  const other = sys.openat(fd, ".", O_PATH | O_CLOEXEC, 0);
  if (other < 0) throw pathFailed("Opening", path, other);
  return new FolderHandle(other, path, sys);
}
