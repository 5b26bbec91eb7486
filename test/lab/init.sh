#!/bin/sh
# The first process of a guest. Its root is the host's file system, read-only: whatever is to be written lies in memory.
# HOLDSTILL_LAB comes with the kernel's command line: the host's folder with the assignments in `job`.

off() {
  echo o >/proc/sysrq-trigger
  sleep 60
}
trap off EXIT

mount -t proc proc /proc
set -a
# shellcheck disable=SC1091 # made by test/lab/machine.ts
. "$HOLDSTILL_LAB/job"
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
HOME=/tmp LANG=C.UTF-8 PAGER=cat
# There is no udev: libdm itself is to make the nodes in /dev.
DM_DISABLE_UDEV=1
set +a

mount -t sysfs sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
for folder in /tmp /run /mnt /var/tmp /etc/lvm; do
  mount -t tmpfs -o mode=1777 tmpfs "$folder"
done
mkdir -p /run/lock

[ -z "$LAB_LVM" ] || PATH=$LAB_LVM/usr/sbin:$LAB_LVM/sbin:$PATH

# What the job needs of the host may lie in a folder that is covered now.
for path in "$LAB_ROOT" "$(dirname "$LAB_NODE")" "$LAB_MODULES" "$LAB_LVM"; do
  [ -z "$path" ] || [ -e "$path" ] && continue
  mkdir -p "$path"
  mount -t hostfs -o "$path" -r none "$path"
done

mkdir -p /run/modules/lib/modules
ln -s "$LAB_MODULES" "/run/modules/lib/modules/$(uname -r)"
for module in cbc ecb xts dm-mod dm-snapshot dm-thin-pool dm-delay dm-crypt dm-multipath dm-round-robin raid1 dm-raid loop f2fs; do
  modprobe -d /run/modules "$module"
done

cat >/etc/lvm/lvm.conf <<END
devices { filter = [ "a|^/dev/ubd|", "a|^/dev/loop|", "r|.*|" ] use_devicesfile = 0 hints = "none" multipath_component_detection = 0 }
activation { udev_sync = 0 udev_rules = 0 verify_udev_operations = 0 monitoring = 0 }
global { use_lvmpolld = 0 event_activation = 0 }
backup { backup = 0 archive = 0 }
END

hostname lab
ip link set lo up 2>/dev/null

cd "$LAB_ROOT" || exit
case $LAB_MODE in
shell) setsid --ctty sh -c 'exec bash -i </dev/tty0 >/dev/tty0 2>&1' ;;
tests)
  stty -F /dev/ttyS0 raw -echo
  "$LAB_NODE" test/dist/lab/inside/main.js
  ;;
esac
