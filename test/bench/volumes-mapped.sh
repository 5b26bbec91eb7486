#!/bin/sh
# volumes-mapped.sh NAME...: snapshots of plain device-mapper devices at one instant, each with NAME-cow as its store, the best that a
# script can do: all tables are loaded before, so that three processes hold, cut and release, however many devices there are.
set -eu
for name in "$@"; do
  table=$(dmsetup table "$name")
  length=$(echo "$table" | cut -d' ' -f2)
  dmsetup create "$name-real" --table "$table"
  dmsetup load "$name" --table "0 $length snapshot-origin /dev/mapper/$name-real"
  dmsetup create "$name-script" --notable
  dmsetup load "$name-script" --table "0 $length snapshot /dev/mapper/$name-real /dev/mapper/$name-cow P 8"
  snapshots="${snapshots:-} $name-script"
done
trap 'dmsetup resume "$@"' EXIT
sync
date +%s%N
dmsetup suspend "$@"
dmsetup resume $snapshots
dmsetup resume "$@"
date +%s%N
