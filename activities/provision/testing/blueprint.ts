import { parseRegistrySpec } from '#spec/registry-spec.js';
import { formatFault } from '#spec/spec-fault.js';
import type { Blueprint, ServerSettings } from '../desired/blueprint.js';

export const settings: ServerSettings = {
  image: 'registry.example/mcp-registry:1',
  imagePullSecrets: [],
  temporal: { address: 'temporal:7233', namespace: 'default' },
  environment: {},
};

/** Returns a blueprint for a spec as a user writes it. Access is anonymous unless the spec says otherwise. */
export function blueprint(spec: object = {}, overrides: Partial<Omit<Blueprint, 'spec'>> = {}): Blueprint {
  const chosen = 'configYAML' in spec || 'authConfig' in spec ? {} : { auth: { mode: 'anonymous' } };
  const parsed = parseRegistrySpec({ ...chosen, ...spec });
  if ('faults' in parsed) throw new Error(parsed.faults.map(formatFault).join('\n'));
  const registry = { namespace: 'team', name: 'tools', uid: '0b1c' };
  return { registry, generation: 1, spec: parsed.spec, settings, versions: {}, claims: {}, ...overrides };
}

export const database = {
  host: 'db',
  dbAppUserPasswordSecretRef: { name: 'passwords', key: 'app' },
  dbMigrationUserPasswordSecretRef: { name: 'passwords', key: 'migrator' },
};
