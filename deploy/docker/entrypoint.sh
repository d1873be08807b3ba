#!/bin/sh
# What the image runs: COMMAND [ARGUMENT...], see `--help`.
set -eu

# The init container of a pod has 32 MiB, too few for Node; and a copy needs no more than this.
if [ "${1-}" = setup-pgpass ]; then
  exec install -m 0600 -- "${2-/secret/.pgpass}" "${3-/pgpass/.pgpass}"
fi

# Temporal's core has a thread per core, and glibc a pool of memory for each: two are enough (measured: 50 MiB less).
if [ "${1-}" = operator ]; then export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX-2}"; fi

# git leaves grandchildren behind, which somebody must reap.
exec tini -- node --enable-source-maps --max-semi-space-size=2 /app/dist/apps/main.js "$@"
