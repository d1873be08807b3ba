import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

export interface GeneratedCatalogue {
  /** Number of distinct server names. Two in five have a second version. */
  readonly names: number;
  /** One in every `editEvery` entries gets content that differs from edition 0. Zero: none. */
  readonly editEvery?: number;
}

const PROVIDERS = [
  'postgres',
  'github',
  'kubernetes',
  'snowflake',
  'slack',
  'grafana',
  'stripe',
  'jira',
  'redis',
  's3',
];
const KINDS = ['mcp', 'bridge', 'gateway', 'tools', 'connector'];
const VERBS = ['inspect', 'fetch', 'search', 'summarise', 'update', 'watch', 'export', 'plan'];

/**
 * Writes a generated catalogue in the upstream format, about 1.7 kB per entry. Its content is the same at each call,
 * and resembles public registries in shape and size. The file has been flushed to disk when this returns, so that the
 * write-back does not disturb a measurement. A separate process generates it, so that a bench does not measure that
 * memory. Returns the number of entries.
 */
export async function generateCatalogue(path: string, catalogue: GeneratedCatalogue): Promise<number> {
  const args = [import.meta.filename, path, JSON.stringify(catalogue)];
  return Number((await promisify(execFile)(process.execPath, args)).stdout);
}

async function writeCatalogue(path: string, { names, editEvery = 0 }: GeneratedCatalogue): Promise<number> {
  let entries = 0;
  function* chunks(): Generator<string> {
    yield '{"$schema":"https://example.com/registry.schema.json","version":"1.0.0","meta":{"last_updated":"2026-11-22T00:00:00Z"},"data":{"servers":[\n';
    for (let index = 0; index < names; index++) {
      const versions = index % 5 < 2 ? ['1.0.0', '1.1.0'] : ['1.0.0'];
      for (const version of versions) {
        const edited = editEvery > 0 && entries % editEvery === 0;
        yield `${entries === 0 ? '' : ',\n'}${JSON.stringify(server(index, version, edited))}`;
        entries++;
      }
    }
    yield '\n]}}\n';
  }
  await pipeline(Readable.from(batched(chunks())), createWriteStream(path, { flush: true }));
  return entries;
}

function* batched(chunks: Iterable<string>): Generator<string> {
  let batch = '';
  for (const chunk of chunks) {
    batch += chunk;
    if (batch.length < 256 * 1024) continue;
    yield batch;
    batch = '';
  }
  yield batch;
}

function server(index: number, version: string, edited: boolean): object {
  const pick = <T>(list: readonly T[], salt: number): T => list[(index * 31 + salt * 17) % list.length] as T;
  const [provider, kind] = [pick(PROVIDERS, 1), pick(KINDS, 2)];
  const number = String(index).padStart(5, '0');
  const verbs = [pick(VERBS, 3), pick(VERBS, 4), pick(VERBS, 5)];
  return {
    $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
    name: `io.example.${pick(PROVIDERS, 6)}/${provider}-${kind}-${number}`,
    title: `${provider} ${kind} ${number}`,
    description: `${edited ? 'Edited: ' : ''}Lets an agent ${verbs.join(', ')} through ${provider}, number ${number}.`,
    version,
    websiteUrl: `https://example.com/${provider}/${number}`,
    repository: {
      url: `https://git.example.com/${provider}/${kind}-${number}`,
      source: 'github',
      id: `repo-${number}`,
    },
    packages: [
      {
        registryType: 'oci',
        identifier: `registry.example.com/${provider}/${kind}-${number}:${version}`,
        transport: { type: 'stdio' },
        environmentVariables: verbs.map((verb, position) => ({
          name: `${provider}_${verb}_${position}`.toUpperCase(),
          description: `What ${verb} needs to know of ${provider} before it can begin its work for the agent.`,
          isRequired: position === 0,
          isSecret: position === 1,
        })),
      },
    ],
    remotes: [
      {
        type: 'streamable-http',
        url: `https://${provider}.example.com/${number}/mcp`,
        headers: [{ name: 'Authorization', description: 'A token of the provider', isRequired: true, isSecret: true }],
      },
    ],
    _meta: {
      'io.modelcontextprotocol.registry/publisher-provided': {
        'io.github.stacklok': {
          [`registry.example.com/${provider}/${kind}-${number}:${version}`]: {
            status: 'Active',
            tier: index % 7 === 0 ? 'Official' : 'Community',
            tools: verbs,
            tags: [provider, kind, ...verbs],
            metadata: { stars: (index * 7919) % 20_000, last_updated: '2026-11-01T00:00:00Z' },
            permissions: { network: { outbound: { allow_host: [`${provider}.example.com`], allow_port: [443] } } },
          },
        },
      },
    },
  };
}

if (import.meta.main) {
  const [path = '', catalogue = ''] = process.argv.slice(2);
  process.stdout.write(`${await writeCatalogue(path, JSON.parse(catalogue) as GeneratedCatalogue)}`);
}
