#!/bin/sh
# volumes-thin.sh VG POOL SIZE LV...: snapshots of thin logical volumes at one instant, the best that a script can do. LVM makes a
# volume for each before, so that the pool only has to be told to put the snapshot in its place; lvcreate itself does not see
# that an origin is suspended, and makes nothing that can be activated.
set -eu
vg=$1 pool=$2 size=$3
shift 3
devices='' messages=''
for lv in "$@"; do
  devices="$devices $vg-$lv"
  lvcreate -qq -y -an -V "$size" -T "$vg/$pool" -n "$lv-script" >/dev/null
  origin=$(lvs --noheadings -o thin_id "$vg/$lv") snapshot=$(lvs --noheadings -o thin_id "$vg/$lv-script")
  messages="$messages delete:$((snapshot)) create_snap:$((snapshot)):$((origin))"
done
trap 'dmsetup resume $devices' EXIT
sync
date +%s%N
dmsetup suspend $devices
for message in $messages; do dmsetup message "$vg-$pool-tpool" 0 "$(echo "$message" | tr : ' ')"; done
dmsetup resume $devices
date +%s%N
