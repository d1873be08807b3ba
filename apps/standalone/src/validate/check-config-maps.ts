import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseRegistrySpec } from '#spec/registry-spec.js';
import type { RegistrySource } from '#spec/source-entry-spec.js';
import { mountOf } from '#spec/source-needs.js';
import { RegistryError } from '#domain/registry-error.js';
import { findSource } from '#sources/index.js';
import type { FileSource } from '#sources/source.js';
import type { SourceContext } from '#sources/context.js';
import type { DataDocument, Manifest, RegistryDocument } from '../documents/manifest.js';
import { checkCatalogue } from './check-catalogue.js';
import type { Finding } from './finding.js';
import { offlineContext } from './offline-context.js';

/**
 * Checks the catalogues that registries read from ConfigMaps of the same manifests, with the code that syncs them. A
 * ConfigMap that is not in the manifests causes only a note, because it may exist in the cluster.
 */
export async function checkConfigMaps({ entries }: Manifest): Promise<Finding[]> {
  const registries = entries.filter((entry): entry is RegistryDocument => entry.kind === 'MCPRegistry');
  const configMaps = entries.filter((entry): entry is DataDocument => entry.kind === 'ConfigMap');
  const findings: Finding[] = [];
  for (const registry of registries) {
    const own = configMaps.filter(({ namespace }) => namespace === registry.namespace);
    for (const source of sourcesOf(registry)) findings.push(...(await checkSource(source, registry, own)));
  }
  return findings;
}

function sourcesOf({ spec }: RegistryDocument): readonly RegistrySource[] {
  const parsed = parseRegistrySpec(spec);
  return 'spec' in parsed ? parsed.spec.registries : [];
}

async function checkSource(
  source: RegistrySource,
  registry: RegistryDocument,
  configMaps: readonly DataDocument[],
): Promise<Finding[]> {
  const definition = findSource(source.type);
  const mount = mountOf(source);
  if (definition?.shape !== 'file' || !mount || !('configMap' in mount)) return [];
  const wanted = mount.configMap.name;
  const found = configMaps.find(({ name }) => name === wanted);
  const at = { file: registry.file, line: registry.line, field: `source ${source.name}` };
  if (!found)
    return [{ severity: 'note', ...at, message: `ConfigMap ${wanted} is not among the files, so it is not checked` }];

  const folder = await mkdtemp(join(tmpdir(), 'validate-'));
  try {
    const target = join(folder, 'catalogue.json');
    await download(definition, source.spec, target, contextOf(registry, configMaps, folder));
    const label = `ConfigMap ${wanted}`;
    const faults = await checkCatalogue(target, label, definition.fileFormat ?? source.format, source.defaultNamespace);
    return faults.map(({ line, field, message }) => ({
      severity: 'error',
      file: found.file,
      line: found.line,
      field: [label, line === undefined ? undefined : `line ${line} of the catalogue`, field]
        .filter(Boolean)
        .join(', '),
      message,
    }));
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return [{ severity: 'error', ...at, message: error.message }];
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function download(
  source: FileSource<unknown>,
  spec: unknown,
  target: string,
  context: SourceContext,
): Promise<void> {
  await source.download(spec, await source.resolve(spec, context), target, context);
}

/** Returns a context that contains only the ConfigMaps of the manifests. */
function contextOf(registry: RegistryDocument, configMaps: readonly DataDocument[], folder: string): SourceContext {
  return offlineContext(folder, registry.namespace, {
    configMapKey: async (name, key) => readKey(configMaps, name, key),
    configMapKeys: async (name) => configMaps.find((found) => found.name === name)?.data ?? new Map(),
  });
}

function readKey(configMaps: readonly DataDocument[], name: string, key: string): Uint8Array {
  const data = configMaps.find((found) => found.name === name)?.data;
  const value = data?.get(key);
  if (value) return value;
  const keys = [...(data?.keys() ?? [])].join(', ') || 'none';
  throw new RegistryError('KeyNotFound', `ConfigMap ${name} has no key ${key}: its keys are: ${keys}`);
}
