#!/bin/sh
# A backup by way of holdstill's service, with curl and nothing else:
#   backup.sh TARGET ARCHIVE-FOLDER        writer:pg-main, /srv, …
# HOLDSTILL_SOCKET names the socket, if it is not /run/holdstill.sock.
set -eu
target=$1
into=$2
socket=${HOLDSTILL_SOCKET:-/run/holdstill.sock}

# Method, path, and a body if there is one.
call() {
  curl --silent --show-error --fail-with-body --unix-socket "$socket" --request "$1" "http://localhost$2" \
    ${3:+--header 'content-type: application/json' --data "$3"}
}

# The same; what is refused ends the script, with the problem document on stderr (RFC 9457).
ask() {
  answer=$(call "$@") || {
    echo "$answer" >&2
    return 1
  }
  echo "$answer"
}

# The value of a text property, as it comes first. A real script would take jq.
text() {
  grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4
}

ask POST /v1/plans "{\"targets\":[\"$target\"]}" >/dev/null
operation=$(ask POST /v1/sets "{\"targets\":[\"$target\"],\"lease\":\"5m\"}")
id=$(echo "$operation" | text id)

# Every event, until `ended`, which comes last.
call GET "/v1/operations/$id/events" | while read -r field value; do
  [ "$field" != event: ] || echo "$value" >&2
done
outcome=$(ask GET "/v1/operations/$id" | text outcome)
if [ "$outcome" != created ] && [ "$outcome" != degraded ]; then
  echo "no set: $outcome" >&2
  exit 1
fi

# From here on the set goes, whatever happens; if we are killed, when its lease runs out.
trap 'ask DELETE "/v1/sets/$id/lease" >/dev/null' EXIT
# Only pictures that are exposed have trees.
set=$(ask POST "/v1/sets/$id/expose")
echo "$set" | grep -o '"trees":\[[^]]*\]' | grep -o '"path":"[^"]*"' | cut -d '"' -f 4 >"$into/paths"
number=0
succeeded=true
while read -r path; do
  number=$((number + 1))
  tar -C "$path" -cf "$into/$number.tar" . || succeeded=false
done <"$into/paths"
rm "$into/paths"
ask POST "/v1/sets/$id/complete" "{\"succeeded\":$succeeded}" >/dev/null
[ "$succeeded" = true ]
