#!/bin/sh
# recovery-mariadb.sh MOUNT IMAGE CLONE SOCKET: the best that a script can do where the storage takes pictures of one instant. What is
# dirty is written out before, as fast as the disk takes it, so that there is little to replay, until it has
# got no less for 3 s, as under load that never ends; then all tables are locked, with a limit, for the time of the cut.
set -eu
ask() { mariadb --no-defaults --socket="$socket" --user=root --skip-column-names "$@"; }
socket=$4
before=$(ask -e "SELECT concat('SET GLOBAL innodb_max_dirty_pages_pct = ', @@global.innodb_max_dirty_pages_pct,
  ', GLOBAL innodb_io_capacity = ', @@global.innodb_io_capacity, ', GLOBAL innodb_io_capacity_max = ', @@global.innodb_io_capacity_max)")
trap 'ask -e "$before"' EXIT
ask -e 'SET GLOBAL innodb_io_capacity_max = 100000, GLOBAL innodb_io_capacity = 100000, GLOBAL innodb_max_dirty_pages_pct = 0'
dirty() { ask -e "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'Innodb_buffer_pool_pages_dirty'"; }
least=$(dirty) since=0
while [ "$since" -lt 3 ]; do
  sleep 1
  pages=$(dirty) since=$((since + 1))
  [ "$pages" -ge "$least" ] || least=$pages since=0
done
ask <<END
SET lock_wait_timeout = 10;
FLUSH TABLES WITH READ LOCK;
\! sh '${0%/*}/cut.sh' '$1' '$2' '$3'
UNLOCK TABLES;
END
