#!/bin/sh
# One after the other, as in most hooks.
date +%s%N
for mount in "$@"; do fsfreeze -f "$mount"; done
for mount in "$@"; do fsfreeze -u "$mount"; done
date +%s%N
