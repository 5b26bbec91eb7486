import { spawnSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { programAt, systemPath } from "../path/programs.js";

/**
 * Makes each path up to `--` a mount, makes every mount read-only except the kernel's own and those below the paths, and makes the paths
 * writable again. Then it becomes the program that follows. A mount that another one hides cannot be reached, and is left as it is.
 *
 * Another user may own a folder above such a path, and put a link on the way between two looks at it: the mount would then show another
 * folder there. So a folder is entered, must have its path, and is mounted on itself.
 */
const script = `
set -u
own=$PATH start=$PWD PATH=${systemPath}
fail() { echo "holdstill: $1 cannot be made $2" >&2; exit 125; }
again() { mount --options-source mtab -o "remount,bind,$1" -- "$2"; }
for path; do
  if [ "$path" = -- ]; then break; fi
  if [ -d "$path" ]; then
    cd -P -- "$path" && [ "$(readlink -n /proc/self/cwd; echo .)" = "$path." ] || fail "$path" writable
    mount --no-canonicalize --rbind . . || fail "$path" writable
  else
    mount --rbind -- "$path" "$path" || fail "$path" writable
  fi
done
while read -r _ point type _; do
  point=$(printf '%b.' "$point") point=\${point%.}
  case $type:$point/ in autofs:* | *:/dev/* | *:/proc/* | *:/sys/*) continue ;; esac
  for path; do
    if [ "$path" = -- ]; then break; fi
    case $point in "$path"/*) continue 2 ;; esac
  done
  again ro "$point" 2>/dev/null || ! mountpoint -q -- "$point" || fail "$point" read-only
done </proc/self/mounts
while [ "$1" != -- ]; do
  again rw "$1" || fail "$1" writable
  shift
done
shift
# Enter the working directory by its new mount.
cd -- "$start" || exit 125
PATH=$own
exec "$@"
`;

let permitted: boolean | undefined;

/** Whether this process may make such a namespace. Root in a container may not; an ordinary user needs the right to make user namespaces. */
export function canMakeReadOnlyNamespace(): boolean {
  permitted ??= isPermitted();
  return permitted;
}

function isPermitted(): boolean {
  const [unshare, ...args] = namespaces().outer;
  return unshare !== undefined && spawnSync(unshare, [...args, programAt("true")], { stdio: "ignore" }).status === 0;
}

/**
 * The command line of a program that can write only to these paths and to devices. If that fails, its exit code is 125.
 *
 * @throws Error of realpath(3) for a path that does not exist.
 */
export function inReadOnlyNamespace(
  writable: readonly string[],
  command: string,
  args: readonly string[],
): [string, readonly string[]] {
  const { outer, inner } = namespaces();
  const [unshare = "unshare", ...rest] = outer;
  const paths = writable.map((path) => realpathSync(path));
  return [unshare, [...rest, "/bin/sh", "-c", script, "sh", ...paths, "--", ...inner, command, ...args]];
}

/** An ordinary user mounts as the root of a user namespace, and gets the own user id back in a second one (user_namespaces(7)). */
function namespaces(): { outer: string[]; inner: string[] } {
  const unshare = programAt("unshare");
  const mount = ["--mount", "--propagation", "slave", "--"];
  const [uid, gid] = [process.getuid?.(), process.getgid?.()];
  if (uid === 0) return { outer: [unshare, ...mount], inner: [] };
  const self = [`--map-user=${uid}`, `--map-group=${gid}`, "--"];
  return { outer: [unshare, "--user", "--map-root-user", ...mount], inner: [unshare, "--user", ...self] };
}
