import type { Owner } from "./folder.js";
import type { PlacedFolder } from "./snapshot.js";

/** Only root can change what is there. */
export const systemPath = "/usr/sbin:/usr/bin:/sbin:/bin";

/** Without this, a program that belongs to root could give rights back. */
const noRights = ["--no-new-privs", "--inh-caps=-all", "--ambient-caps=-all"];

/** If holdstill is killed, the program must end. */
const endsWithParent = ["--pdeathsig", "TERM"];

/** The command line of a program as that user, without capabilities. An ordinary user has none to give up. */
export function asOwner(owner: Owner, command: readonly string[]): [string, ...string[]] {
  const become = isRoot() ? [...identity(owner), "--bounding-set=-all"] : [];
  return ["setpriv", ...become, ...noRights, ...endsWithParent, "--", ...command];
}

/** Mounts pairs of folders, the first over the second, up to `--`, and replaces itself by the program that follows. */
const mountAndRun = `
while [ "$1" != -- ]; do
  if [ -d "$2" ]; then mount --rbind -- "$1" "$2"; fi
  shift 2
done
shift
exec "$@"`;

/**
 * The same in a mount namespace in which the snapshot covers the originals: redo of CREATE TABLESPACE makes the link to the original
 * place again, whatever was there (src/backend/commands/tablespace.c, create_tablespace_directories), and a server would then write
 * into the captured cluster.
 *
 * The paths belong to the user, who may replace any of them by a link. So rights are given up first, and the user mounts in a user
 * namespace, in which that user is root; a second one maps the user back, because a server does not run as root (user_namespaces(7)).
 * A path that leads elsewhere leads only where the user can go, and covers something only for the user's own programs.
 */
export function inOwnNamespace(
  owner: Owner,
  places: readonly PlacedFolder[],
  command: readonly string[],
): [string, ...string[]] {
  // Where only root may make user namespaces, this one right is enough, and the new namespace takes it away.
  const right = ["--inh-caps=-all,+sys_admin", "--ambient-caps=-all,+sys_admin", "--bounding-set=-all,+sys_admin"];
  const become = isRoot() ? [...identity(owner), ...right] : [];
  const { uid, gid } = isRoot() ? owner : { uid: process.getuid?.(), gid: process.getgid?.() };
  const asRootOfNamespace = ["unshare", "--user", "--map-root-user", "--mount", "--propagation", "private", "--"];
  const mounts = places.flatMap(({ original, place }) => [place, original]);
  const mounted = ["sh", "-euc", mountAndRun, "sh", ...mounts, "--"];
  const asSelf = ["unshare", "--user", `--map-user=${uid}`, `--map-group=${gid}`, "--"];
  const last = ["setpriv", ...noRights, ...endsWithParent, "--", ...command];
  return ["setpriv", ...become, "--no-new-privs", "--", ...asRootOfNamespace, ...mounted, ...asSelf, ...last];
}

function identity({ uid, gid }: Owner): string[] {
  return ["--reuid", `${uid}`, "--regid", `${gid}`, "--clear-groups"];
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}
