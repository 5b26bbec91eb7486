#!/bin/sh
# volumes-thick.sh VG SIZE LV...: snapshots of thick logical volumes at one instant, the best that a script can do. All are suspended
# by one process, one lvm process makes all snapshots of what was suspended, and resumes each origin.
set -eu
vg=$1 size=$2
shift 2
devices='' commands=''
for lv in "$@"; do
  devices="$devices $vg-$lv"
  commands="${commands}lvcreate -qq -An -y -s -L $size -n $lv-script $vg/$lv
"
done
trap 'dmsetup resume $devices' EXIT
sync
date +%s%N
dmsetup suspend $devices
echo "$commands" | lvm >/dev/null
date +%s%N
