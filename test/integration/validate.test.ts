import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { faultyCatalogues } from '#sources/testing/faulty-catalogues.js';
import { validateFiles } from '#standalone/validate/validate-files.js';
import type { Finding } from '#standalone/validate/finding.js';
import { eventually } from '#support/eventually.js';
import { RegistryWorld } from '#support/registry-world.js';
import { manifestOf, mcpRegistry } from '#support/standalone-process.js';

/** Maximum number of sources of one registry. */
const SOURCES = 20;
const CATALOGUES = faultyCatalogues().map((catalogue, index) => ({ ...catalogue, name: `c${index}` }));

type Catalogue = (typeof CATALOGUES)[number];

/** What a server reports about a source after its sync. */
interface ServerWords {
  readonly failure: string | undefined;
  readonly quarantine: readonly { readonly key: string; readonly path?: string; readonly message: string }[];
}

let world: RegistryWorld;
let apiUrl: string;
let folder: string;
let findings: readonly Finding[];

const registryOf = ({ name }: Catalogue) => `team-${Math.floor(Number(name.slice(1)) / SOURCES)}`;

/** Returns a manifest in which every catalogue is in its own ConfigMap and is read by one source. */
function manifest(): string {
  const registries = Map.groupBy(CATALOGUES, registryOf);
  return manifestOf(
    ...Array.from(registries, ([name, catalogues]) => mcpRegistry(name, catalogues.map(sourceOf))),
    ...CATALOGUES.map(configMapOf),
  );
}

function sourceOf({ name, format }: Catalogue): object {
  return { name, format, configMapRef: { name, key: 'registry.json' } };
}

function configMapOf({ name, content }: Catalogue): object {
  const binaryData = { 'registry.json': Buffer.from(content).toString('base64') };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, binaryData };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'validate-'));
  const path = join(folder, 'team.yaml');
  await writeFile(path, manifest());
  world = await RegistryWorld.start({ temporalAddress: inject('temporalAddress'), manifests: manifest() });
  apiUrl = (await world.serve()).url;
  ({ findings } = await validateFiles([path]));
});

afterAll(async () => {
  await world?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function askServer(catalogue: Catalogue): Promise<ServerWords> {
  const { failure } = await eventually(
    () => world.runs.find(({ outcome }) => outcome.source === catalogue.name)?.outcome,
  );
  const response = await fetch(
    `${apiUrl}/default/${registryOf(catalogue)}/v1/sources/${catalogue.name}/quarantine?limit=100`,
  );
  const { quarantine = [] } = (await response.json()) as Partial<ServerWords>;
  return { failure: failure?.message, quarantine };
}

/** Asserts that the findings match those of the server. A source that failed as a whole has no quarantine. */
function compare(found: readonly Finding[], server: ServerWords, withField: (finding: Finding) => string): void {
  if (server.failure === undefined) {
    const words = server.quarantine.map(({ key, path, message }) => [key, path, message].filter(Boolean).join(': '));
    expect(found.map((each) => `${withField(each)}: ${each.message}`).toSorted()).toEqual(words.toSorted());
  } else {
    // A server reports only the first three errors of entries.
    for (const { message } of found.slice(0, 3)) expect(server.failure).toContain(message.replace(/\.$/, ''));
  }
}

it.each(CATALOGUES)('reports the same as a sync, in its words: $what', async (catalogue) => {
  const server = await askServer(catalogue);

  const labels = [`ConfigMap ${catalogue.name}`, `source ${catalogue.name}`];
  const ofConfigMap = findings.filter(({ field = '' }) => labels.includes(field.split(',')[0] ?? ''));
  expect(ofConfigMap).not.toEqual([]);
  compare(ofConfigMap, server, ({ field = '' }) => field.replace(/^ConfigMap \w+, (line \d+ of the catalogue, )?/, ''));

  // Skip files that `validate` handles differently: one with a Kubernetes object is a manifest, and only ConfigMaps are
  // unpacked.
  const isGzip = catalogue.content.toString('latin1').startsWith('\x1f\x8b');
  if (isGzip || catalogue.content.includes('"kind":"ConfigMap"')) return;
  const file = join(folder, `${catalogue.name}.json`);
  await writeFile(file, catalogue.content);
  const ofFile = (await validateFiles([file], catalogue.format)).findings;
  expect(ofFile).not.toEqual([]);
  compare(ofFile, server, ({ field = '' }) => field);
});
