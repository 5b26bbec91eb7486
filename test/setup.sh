#!/bin/sh
# Installs the Debian packages that the tests of real file systems, servers and kernels need; with the argument `mysql` or
# `mariadb-11` also a server of a newer suite, in a folder. As root, or by way of sudo; asks nothing.
set -eu

# mariadb-server-core is the programs alone: no service, no account.
packages="faketime acl attr btrfs-progs xfsprogs e2fsprogs util-linux mount procps sqlite3 postgresql mariadb-server-core mariadb-client-core restic borgbackup chromium python3 golang-go etcd-server etcd-client"
# The laboratory: its kernel, what that needs of the host's tools, and the server that runs in it.
packages="$packages user-mode-linux kmod lvm2 dmsetup thin-provisioning-tools patchelf gcc libc6-dev iproute2 f2fs-tools mariadb-server mariadb-plugin-provider-lz4 mariadb-plugin-rocksdb cryptsetup-bin mdadm"
# A Ceph cluster of one node, which the tests start as ordinary processes. python3-rbd comes with ceph-common.
packages="$packages ceph-mon ceph-osd ceph-common rbd-fuse rbd-nbd"
# The Debian packages, and the clean Debian that they are installed in.
packages="$packages debootstrap lintian binutils"

root=""
[ "$(id -u)" -eq 0 ] || root="sudo"

install() {
  $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

# A server of a newer suite, which needs a newer libc than this one's: it gets a root of its own, and is told to use that.
# Arguments: folder, suite, packages, programs.
rooted() {
  folder=$1
  suite=$2
  packages=$3
  shift 3
  [ ! -x "$folder/$1" ] || return 0
  $root rm -rf "$folder.part"
  $root mkdir -p "$folder.part"
  $root debootstrap --variant=minbase --include="$packages" "$suite" "$folder.part"
  libraries=$(cd "$folder.part" && echo usr/lib/*-linux-gnu)
  loader=$(cd "$folder.part" && echo usr/lib/*-linux-gnu/ld-linux*.so.*)
  for program; do
    $root patchelf --set-interpreter "$folder/$loader" "$folder.part/$program"
    # The old form: it holds for the libraries that libraries need, too.
    $root patchelf --force-rpath --set-rpath "$folder/$libraries" "$folder.part/$program"
  done
  # All or nothing.
  $root rm -rf "$folder"
  $root mv "$folder.part" "$folder"
}

# All or nothing. Without it, the tests of the Debian packages are skipped.
debian() {
  folder=${HOLDSTILL_CACHE:-/var/cache/holdstill}/bookworm
  [ ! -e "$folder/etc/debian_version" ] || return 0
  $root rm -rf "$folder.part"
  $root mkdir -p "$folder.part"
  if ! $root debootstrap --variant=minbase bookworm "$folder.part" >/dev/null; then
    echo "test:setup: debootstrap failed, so that the Debian packages cannot be installed anywhere" >&2
    $root rm -rf "$folder.part"
    return 0
  fi
  $root rm -rf "$folder.part/var/cache/apt" "$folder.part/var/lib/apt/lists"
  $root mv "$folder.part" "$folder"
}

servers() {
  cache=/var/cache/holdstill
  case "$1" in
  # In no stable suite.
  mysql) rooted "${HOLDSTILL_MYSQL:-$cache/mysql}" sid mysql-server-core usr/sbin/mysqld ;;
  mariadb-11)
    rooted "${HOLDSTILL_MARIADB_11:-$cache/mariadb-11}" trixie mariadb-server-core,mariadb-client-core \
      usr/sbin/mariadbd usr/bin/my_print_defaults usr/bin/resolveip usr/bin/innochecksum
    ;;
  esac
}

missing=""
for package in $packages; do
  dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q ' installed$' || missing="$missing $package"
done
if [ -z "$missing" ]; then
  servers "${1:-}"
  debian
  echo "test:setup: everything is installed"
  exit 0
fi

$root apt-get update -qq
case $missing in
*postgresql*)
  # Server binaries only: no cluster is made, so no server starts.
  install postgresql-common
  $root sed -i 's/^#*create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
  ;;
esac

# mariadb-server, lvm2, etcd-server, and Ceph would start their services: invoke-rc.d(8) asks this file, and 101 is its "no".
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap '$root rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | $root tee "$policy" >/dev/null
  $root chmod 755 "$policy"
fi
# shellcheck disable=SC2086 # a list of words
install $missing
case $missing in
*"mariadb-server "* | *mariadb-server)
  # Nor is it to start with the machine.
  if command -v systemctl >/dev/null; then $root systemctl disable --quiet mariadb.service || true; fi
  ;;
esac
case $missing in
*etcd-server*)
  if command -v systemctl >/dev/null; then $root systemctl disable --quiet etcd.service || true; fi
  ;;
esac
servers "${1:-}"
debian
