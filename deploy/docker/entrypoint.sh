#!/bin/sh
# What the image runs: COMMAND [ARGUMENT...], see `--help`.
set -eu

# The init container of a pod has 32 MiB, too few for Node; and a copy needs no more than this.
if [ "${1-}" = setup-pgpass ]; then
  exec install -m 0600 -- "${2-/secret/.pgpass}" "${3-/pgpass/.pgpass}"
fi

# Temporal's core has a thread per core, and glibc a pool of memory for each: two are enough (measured: 50 MiB less).
if [ "${1-}" = operator ]; then export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX-2}"; fi

heap=--max-semi-space-size=2
# A catalogue is no garbage: in a small heap the collector would look through it every few megabytes while it is loaded.
case "${1-}" in serve | standalone) heap="$heap --initial-old-space-size=80" ;; esac

# git leaves grandchildren behind, which somebody must reap.
# shellcheck disable=SC2086 # These are two words.
exec tini -- node --enable-source-maps $heap /app/dist/apps/main.js "$@"
