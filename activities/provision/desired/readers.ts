import type { Notice } from '#domain/notice.js';
import type { Blueprint } from './blueprint.js';
import { versionKey } from './blueprint.js';
import { referredObjects } from './pod-files.js';
import { passwordKeys } from './secrets.js';

/** Returns the blueprint without read-only servers if there is no database that they could reach. */
export function withReaders(blueprint: Blueprint): Blueprint {
  const { spec } = blueprint;
  return spec.databaseConfig ? blueprint : { ...blueprint, spec: { ...spec, readers: 0 } };
}

/** Returns a notice if the spec asks for read-only servers that cannot be provided. */
export function readerNotices({ spec }: Blueprint): Notice[] {
  if (spec.databaseConfig || spec.readers === 0) return [];
  const message =
    'server.readers has no effect: without databaseConfig the data is in the pod of the server, where no other pod can read it';
  return [{ reason: 'ReadersNeedDatabase', message }];
}

/**
 * Returns the blueprint of a read-only server. It has no sources and no webhooks, so their objects are not mounted and
 * a change of a source's credentials does not replace its pods.
 */
export function toReaderBlueprint(blueprint: Blueprint): Blueprint {
  const { spec, versions } = blueprint;
  const { sources, providers, database } = referredObjects(spec);
  const read = [...providers, ...database, ...passwordKeys(spec)];
  const kept = new Set(read.map(versionKey));
  const dropped = new Set(sources.map(versionKey).filter((key) => !kept.has(key)));
  return {
    ...blueprint,
    spec: { ...spec, registries: [], webhooks: [] },
    versions: Object.fromEntries(Object.entries(versions).filter(([key]) => !dropped.has(key))),
  };
}
