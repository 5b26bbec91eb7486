#!/bin/sh
# Installs the Debian packages that the tests of real file systems and servers need. As root, or by way of sudo.
set -eu

packages="acl attr btrfs-progs xfsprogs e2fsprogs util-linux postgresql"

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
# shellcheck disable=SC2086 # a list of words
install $missing
