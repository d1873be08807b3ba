import type { DatabaseConfig } from '#spec/database-spec.js';
import type { RegistrySpec } from '#spec/registry-spec.js';
import type { ObjectKey } from '#domain/object-field.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { pgpassLine } from '#persistence/pgpass.js';
import type { TemporalEndpoint } from '#temporal/connect.js';
import { ENDPOINT_KEYS } from '#temporal/mounted-endpoint.js';
import { typedDatabase } from './blueprint.js';
import type { Blueprint } from './blueprint.js';
import { head, names } from './naming.js';

export const PGPASS_KEY = '.pgpass';

/** Returns the Secret keys in the spec that hold database passwords. */
export function passwordKeys(spec: RegistrySpec): ObjectKey[] {
  const typed = typedDatabase(spec);
  const refs = [typed?.dbAppUserPasswordSecretRef, typed?.dbMigrationUserPasswordSecretRef, spec.raw?.pgpassSecretRef];
  return refs.flatMap((ref) => (ref ? [{ kind: 'Secret', name: ref.name, key: ref.key }] : []));
}

export interface DatabasePasswords {
  readonly application: string;
  readonly migration: string;
}

/**
 * Returns the Secret with the passwords of both roles, in the file format that libpq reads:
 * https://www.postgresql.org/docs/current/libpq-pgpass.html
 */
export function toPgpassSecret(
  { registry }: Blueprint,
  { host, port, database, user, migrationUser }: DatabaseConfig,
  { application, migration }: DatabasePasswords,
): KubernetesObject {
  const lines = [
    pgpassLine({ host, port, database, user }, application),
    pgpassLine({ host, port, database, user: migrationUser }, migration),
  ];
  return opaque(head('Secret', registry, names.pgpass(registry.name)), { [PGPASS_KEY]: [...new Set(lines)].join('') });
}

/** Returns the Secret that gives the server access to Temporal. */
export function toTemporalSecret({ registry, settings }: Blueprint): KubernetesObject {
  return opaque(head('Secret', registry, names.temporal(registry.name)), temporalKeys(settings.temporal));
}

function temporalKeys(endpoint: TemporalEndpoint): Record<string, string> {
  return Object.fromEntries(
    (Object.keys(ENDPOINT_KEYS) as (keyof TemporalEndpoint)[]).flatMap((field): [string, string][] => {
      const value = endpoint[field];
      return value === undefined ? [] : [[ENDPOINT_KEYS[field], value]];
    }),
  );
}

function opaque(secret: KubernetesObject, texts: Readonly<Record<string, string>>): KubernetesObject {
  const data = Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  );
  return { ...secret, type: 'Opaque', data } as object as KubernetesObject;
}
