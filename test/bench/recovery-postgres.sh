#!/bin/sh
# recovery-postgres.sh MOUNT IMAGE CLONE, with libpq's variables: the best that a script can do where the storage takes pictures of
# one instant. The first checkpoint writes out nearly everything, so that the second, from which the picture is replayed, is a short
# one; backup mode is entered and left in one session, as the manual asks.
set -eu
psql -qAtX -v ON_ERROR_STOP=1 >/dev/null <<END
CHECKPOINT;
SELECT pg_backup_start('script', fast => true);
\! sh '${0%/*}/cut.sh' '$1' '$2' '$3'
SELECT pg_backup_stop(wait_for_archive => false);
END
