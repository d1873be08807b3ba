#!/bin/sh
# The entry point of the image: COMMAND [ARGUMENT...], see `--help`.
set -eu

# The init container of a pod has 32 MiB, which is too little for Node, so the file is copied without it.
if [ "${1-}" = setup-pgpass ]; then
  exec install -m 0600 -- "${2-/secret/.pgpass}" "${3-/pgpass/.pgpass}"
fi

# Temporal's core starts a thread per CPU core, and glibc a memory pool for each thread. Two pools are enough (measured:
# 50 MiB less).
if [ "${1-}" = operator ]; then export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX-2}"; fi

heap=--max-semi-space-size=2
# A loaded catalogue is not garbage. With a small heap, the collector would scan it every few megabytes while it is
# being loaded.
case "${1-}" in serve | standalone) heap="$heap --initial-old-space-size=80" ;; esac

# git leaves orphaned processes behind, which the init process (tini) has to reap.
# shellcheck disable=SC2086 # These are two words.
exec tini -- node --enable-source-maps $heap /app/dist/apps/main.js "$@"
