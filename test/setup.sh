#!/bin/sh
# Installs the Debian packages that the tests of real file systems and servers need; with the argument `lab` also those of the
# laboratory. As root, or by way of sudo; asks nothing.
set -eu

packages="acl attr btrfs-progs xfsprogs e2fsprogs util-linux postgresql"
if [ "${1:-}" = lab ]; then
  # The kernel, what it needs of the host's tools, and the servers that run in it.
  packages="$packages user-mode-linux kmod lvm2 dmsetup thin-provisioning-tools patchelf iproute2 mariadb-server"
fi

missing=""
for package in $packages; do
  dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q ' installed$' || missing="$missing $package"
done
if [ -z "$missing" ]; then
  echo "test:setup: everything is installed"
  exit 0
fi

root=""
[ "$(id -u)" -eq 0 ] || root="sudo"

install() {
  $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

$root apt-get update -qq
case $missing in
*postgresql*)
  # Server binaries only: no cluster is made, so no server starts.
  install postgresql-common
  $root sed -i 's/^#*create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
  ;;
esac

# mariadb-server and lvm2 would start their services: invoke-rc.d(8) asks this file, and 101 is its "no".
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap '$root rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | $root tee "$policy" >/dev/null
  $root chmod 755 "$policy"
fi
# shellcheck disable=SC2086 # a list of words
install $missing
case $missing in
*mariadb-server*)
  # Nor is it to start with the machine.
  if command -v systemctl >/dev/null; then $root systemctl disable --quiet mariadb.service || true; fi
  ;;
esac
