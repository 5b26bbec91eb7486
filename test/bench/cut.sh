#!/bin/sh
# cut.sh MOUNT IMAGE CLONE: a picture of one instant, with no word to the application. What `lvcreate -s` is on a logical volume.
set -eu
fsfreeze -f "$1"
trap 'fsfreeze -u "$1"' EXIT
cp --reflink=always "$2" "$3"
