# Part of each maintainer script.
# While dpkg replaces the files, the launcher waits at this door. It has the process id of dpkg.
door=/run/holdstill.upgrading

state_directories() {
  echo /var/lib/holdstill
  sed -n "s/^[[:space:]]*[\"']\{0,1\}stateDir[\"']\{0,1\}:[[:space:]]*[\"']\{0,1\}\(\/[^\"',#]*[^\"',# ]\).*/\1/p" \
    /etc/holdstill/holdstill.yaml /etc/holdstill/holdstill.yml /etc/holdstill/holdstill.json 2>/dev/null || true
}

# Each transaction, lease, and claim of a volume is a flock(2) on a file of the state directory. Sets $busy.
is_idle() {
  busy=$(state_directories | while read -r state; do
    for file in "$state"/transactions/* "$state"/leases/* "$state"/volumes/*; do
      if [ -f "$file" ] && ! flock --shared --nonblock 9 9<"$file"; then
        echo "$file"
        break
      fi
    done
  done)
  [ -z "$busy" ]
}

# What began before the door was closed is seen a second later. Fails if holdstill is still busy after $1 seconds, or if dpkg is gone.
close_door_when_idle() {
  left=$1
  until is_idle && close_door && sleep 1 && is_idle; do
    open_door
    [ -d "/proc/$PPID" ] || return 1
    if [ "$left" -le 0 ]; then
      echo "holdstill: A snapshot is being taken, read, or removed: $(echo "$busy" | head -n 1) is locked." >&2
      echo "Wait until this has ended, or interrupt it, and try again. Nothing was changed." >&2
      return 1
    fi
    left=$((left - 1))
    sleep 1
  done
}

close_door() {
  echo "$PPID" >"$door"
}

open_door() {
  rm -f "$door"
}
