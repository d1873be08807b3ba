import { writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { objectName, secretKeyRef } from '#domain/spec-fields.js';
import { sources } from '#sources/index.js';
import { defineSource } from '#sources/source.js';
import type { Source } from '#sources/source.js';

const bucketSpec = z
  .strictObject({
    claimName: objectName,
    credentials: z.strictObject({ tokenFile: z.string().optional(), tokenRef: secretKeyRef.optional() }),
  })
  .describe('bucket reads an object of a bucket.');

/** A type of source that the product does not have. This constant is what its file would contain. */
const bucketSource = defineSource<z.output<typeof bucketSpec>>({
  block: 'bucket',
  view: { type: 'REMOTE', sourceType: 'bucket', address: 'bucket' },
  shape: 'file',
  spec: bucketSpec,
  defaultFormat: 'upstream',
  excludes: { filter: 'the bucket is filtered already' },
  objects: [{ path: ['credentials', 'tokenRef'], kind: 'Secret', fileField: 'tokenFile' }],
  permissions: [{ apiGroups: ['objectbucket.io'], resources: ['objectbucketclaims'], verbs: ['get'] }],
  address: ({ claimName }) => `bucket ${claimName}`,
  mount: ({ claimName }) => ({ claim: claimName, file: 'catalogue.json' }),
  notices: () => [{ reason: 'SourceEmpty', message: 'buckets are slow' }],
  resolve: async () => ({ revision: '1', label: 'bucket@1' }),
  download: async (_spec, _revision, path) => writeFile(path, '{}'),
});

// The line that a new type adds to libs/sources/index.ts. All other modules are loaded afterwards, as in a real
// process.
(sources as Source<unknown>[]).push(bucketSource);
const { customResourceDefinition } = await import('#spec/custom-resource-definition.js');
const { parseRegistrySpec } = await import('#spec/registry-spec.js');
const { parseServerConfig, renderServerConfig } = await import('#spec/server-config.js');
const { toRole } = await import('#activities/provision/desired/access.js');
const { toPodFiles } = await import('#activities/provision/desired/pod-files.js');
const { blueprint: toBlueprint } = await import('#activities/provision/testing/blueprint.js');
const { outlineSource } = await import('#activities/plan.js');
const { referencedObjects } = await import('#operator/watch/referenced-objects.js');
const { watchedObjects } = await import('#spec/source-needs.js');

const bucket = { claimName: 'data', credentials: { tokenRef: { name: 'bucket', key: 'token' } } };

function parse(entry: object): ReturnType<typeof parseRegistrySpec> {
  return parseRegistrySpec({ auth: { mode: 'anonymous' }, registries: [{ name: 'made-up', ...entry }] });
}

function demandSpec(entry: object) {
  const parsed = parse(entry);
  if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults));
  return parsed;
}

it('validates the block, applies its default format and reports its notices', () => {
  const { spec, notices } = demandSpec({ bucket });
  expect(spec.registries[0]).toMatchObject({ type: 'bucket', format: 'upstream' });
  expect(notices).toEqual([{ reason: 'SourceEmpty', message: 'made-up: buckets are slow' }]);
  expect(parse({ bucket: { ...bucket, claimName: 'NO' } })).toHaveProperty('faults');
  expect(parse({ bucket, filter: { names: { include: ['*'] } } })).toMatchObject({
    faults: [{ path: ['spec', 'registries', 0, 'filter'], message: expect.stringContaining('filtered already') }],
  });
});

it('is a part of the CRD', () => {
  const crd = JSON.stringify(customResourceDefinition());
  expect(crd).toContain('bucket reads an object of a bucket.');
  expect(crd).toContain('!has(self.bucket) || !has(self.filter)');
});

it('mounts its claim and its Secret, and grants what it needs', () => {
  const blueprint = toBlueprint({ registries: [{ name: 'made-up', bucket }] }, { claims: { data: [] } });
  expect(toPodFiles(blueprint)).toMatchObject([
    {
      mountPath: '/config/registry/made-up',
      volume: { name: 'registry-data-source-made-up', persistentVolumeClaim: { claimName: 'data' } },
    },
    { mountPath: '/secrets/bucket', volume: { name: 'bucket-auth-bucket', secret: { secretName: 'bucket' } } },
  ]);
  expect(toRole(blueprint).rules.at(-1)).toMatchObject({ resources: ['objectbucketclaims'] });
});

it('lets the spec refer to no file that the server must not read', () => {
  const credentials = { tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token' };
  expect(parse({ bucket: { ...bucket, credentials } })).toMatchObject({
    faults: [{ path: ['spec', 'registries', 0, 'bucket', 'credentials', 'tokenFile'] }],
  });
});

it('reaches the server unchanged', () => {
  const { spec } = demandSpec({ bucket });
  const text = renderServerConfig(spec, { namespace: 'n', name: 'r' });
  expect(parseServerConfig(text)).toMatchObject({ spec: { registries: spec.registries } });
});

it('is planned and watched', () => {
  expect([...referencedObjects({ registries: [{ bucket }] })]).toEqual(['PersistentVolumeClaim/data', 'Secret/bucket']);
  const [source] = demandSpec({ bucket }).spec.registries;
  expect(outlineSource(source!, 0)).toMatchObject({ type: 'bucket', address: 'bucket data' });
  expect(watchedObjects(source!)).toEqual([{ kind: 'Secret', name: 'bucket', key: 'token' }]);
});
