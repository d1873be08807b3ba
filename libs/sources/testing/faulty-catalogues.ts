import type { SourceFormat } from '#domain/source-format.js';
import { server, toolhive, upstream } from './catalogue-file.js';

/**
 * Catalogues with exactly one error each, for the tests of the reader and of everything that must report the same
 * errors.
 */

/** A valid entry in ToolHive's format. */
export const IMAGE = {
  description: 'Searches',
  image: 'ghcr.io/example/search:1',
  status: 'Active',
  transport: 'stdio',
  tools: ['a'],
};

/** A valid package of a server. */
export const NPM = { registryType: 'npm', identifier: '@example/x', version: '1.0.0', transport: { type: 'stdio' } };

/** Invalid JSON values of a title: a description, the JSON text, and the path and words of the error. */
export const FAULTY_VALUES: readonly (readonly [what: string, value: string, path: string, words: string])[] = [
  ['a NUL character', '"\\u0000"', 'title', 'NUL'],
  ['half a character', '"\\ud83d"', 'title', 'surrogate'],
  ['a number without end', '1e999', 'title', 'out of range'],
  ['a field that occurs twice', '"a","title":"b"', '', 'twice'],
  ['a field that occurs twice further down', '"a","x":{"y":1,"y":2}', '', 'twice'],
  ['a text that is a number', '5', 'title', 'must be text'],
];

/** Returns a catalogue in the upstream format. The title of its second entry is replaced with this JSON text. */
export function withValue(value: string): string {
  const bad = JSON.stringify(server({ name: 'com.example/bad', title: '?' })).replace('"?"', () => value);
  return JSON.stringify(upstream(server(), '?')).replace('"?"', () => bad);
}

/** Files that are not valid JSON in UTF-8, and words of the error message. */
export const FAULTY_TEXTS: readonly (readonly [content: string | Buffer, words: string])[] = [
  ['', 'is empty'],
  [' \n ', 'white space'],
  ['{"version":', 'ends too early'],
  ['{"version":"1.0.0"} x', 'line 1, column 21'],
  ['{"version":"1.0.0",}', 'line 1, column 20'],
  ['{"version" "1.0.0"}', '":"'],
  ["{'version':1}", 'double quotes'],
  ['{"version":"1.0.0","version":"1.0.0"}', 'twice'],
  ['{"version":01}', '01'],
  ['{"version":"a\nb"}', 'line break'],
  ['<!doctype html><html></html>', 'HTML'],
  ['version: 1.0.0\nservers:\n', 'YAML'],
  ['---\nversion: 1\n', 'YAML'],
  ['# servers\nversion: 1\n', 'YAML'],
  ['[mcp_servers.github]\ncommand = "npx"\n', 'TOML'],
  ['[[servers]]\r\nname = "a/b"\r\n', 'TOML'],
  ['# servers\n\n  [registry."a/b"] # one\nx = 1\n', 'TOML'],
  ['version = "1.0.0"\n', 'TOML'],
  ['"last updated" = 2026-01-01\n', 'TOML'],
  ['version https://git-lfs.github.com/spec/v1\noid sha256:00\n', 'Git LFS'],
  [Buffer.from('{"version":"1.0.0"}', 'utf16le'), 'UTF-16'],
  [Buffer.from('\uFEFF{}', 'utf16le'), 'UTF-16'],
  [Buffer.from([0x1f, 0x8b, 8, 0, 0]), 'gzip'],
];

/** Servers in the format of client configuration files. */
const CLIENT_SERVERS = [
  { env: { A: '1' }, command: 'npx', args: ['-y', '@example/x'] },
  { type: 'http', url: 'https://mcp.example.com' },
  { httpUrl: 'https://mcp.example.com' },
];

/** Documents of another format than declared. */
export const OTHER_DOCUMENTS: readonly (readonly [format: SourceFormat, content: unknown, words: string])[] = [
  ['toolhive', upstream(server()), 'format: upstream'],
  ['upstream', toolhive({ a: IMAGE }), 'format: toolhive'],
  ['upstream', [server()], 'bare list'],
  ['upstream', [null], 'bare list'],
  ['upstream', ['servers'], 'bare list'],
  ['upstream', [[true]], 'bare list'],
  ['toolhive', { servers: [{ server: server() }], metadata: {} }, 'registry API'],
  ['upstream', { servers: [{ server: server() }], metadata: {} }, 'registry API'],
  ['upstream', server(), 'single server'],
  ['upstream', { mcpServers: {} }, 'configuration'],
  ...(['upstream', 'toolhive'] as const).flatMap((format) =>
    CLIENT_SERVERS.map((configured) => [format, { servers: { github: configured } }, 'configuration'] as const),
  ),
  ['upstream', { servers: {}, inputs: [] }, 'configuration'],
  ['upstream', { name: 'tools', owner: {}, plugins: [], description: 'd' }, 'plugins'],
  ['upstream', { version: 3, name: 'docker-mcp', registry: {} }, 'Docker'],
  ['toolhive', { apiVersion: 'v1', kind: 'ConfigMap', data: 'x' }, 'Kubernetes'],
] as const;

/** Documents that lack something that their format requires. */
export const LACKING_DOCUMENTS: readonly (readonly [format: SourceFormat, content: unknown, words: string])[] = [
  ['toolhive', { ...toolhive({ a: IMAGE }), version: undefined }, '"version"'],
  ['toolhive', { servers: { a: { ...IMAGE, url: 'https://a.example' } } }, '"version"'],
  ['toolhive', { ...toolhive({ a: IMAGE }), version: 1 }, '"version"'],
  ['toolhive', { ...toolhive({ a: IMAGE }), last_updated: undefined }, '"last_updated"'],
  ['toolhive', { ...toolhive({ a: IMAGE }), last_updated: 'yesterday' }, '"last_updated"'],
  ['toolhive', { ...toolhive({ a: IMAGE }), remote_servers: [] }, '"remote_servers"'],
  ['toolhive', { version: '1.0.0', last_updated: '2026-01-01T00:00:00Z', groups: [] }, '"servers"'],
  ['toolhive', toolhive({}), 'holds no servers'],
  ['upstream', { ...upstream(server()), meta: null }, '"meta.last_updated"'],
  ['upstream', upstream(), 'holds no servers'],
] as const;

/** Fields that send a server to quarantine, and the path of the error. */
export const FAULTY_SERVERS: readonly (readonly [path: string, fields: Record<string, unknown>])[] = [
  ['name', { name: 'a' }],
  ['name', { name: 'com.example/a/b' }],
  ['name', { name: `com.example/${'x'.repeat(200)}` }],
  ['version', { version: undefined }],
  ['version', { version: 'latest' }],
  ['version', { version: '^1.2.3' }],
  ['version', { version: '>=1' }],
  ['version', { version: '1.x' }],
  ['version', { version: '1.*' }],
  ['version', { version: '1 || 2' }],
  ['version', { version: '..' }],
  ['version', { version: 'x'.repeat(256) }],
  ['description', { description: '' }],
  ['description', { description: null }],
  ['title', { title: 5 }],
  ['packages', { packages: {} }],
  ['packages[1].identifier', { packages: [NPM, { ...NPM, identifier: undefined }] }],
  ['packages[0].transport', { packages: [{ ...NPM, transport: undefined }] }],
  ['packages[0].transport.url', { packages: [{ ...NPM, transport: { type: 'sse' } }] }],
  ['packages[0].fileSha256', { packages: [{ ...NPM, fileSha256: 'abc' }] }],
  ['packages[0].environmentVariables[0].name', { packages: [{ ...NPM, environmentVariables: [{}] }] }],
  [
    'packages[0].environmentVariables[0].isSecret',
    { packages: [{ ...NPM, environmentVariables: [{ name: 'A', isSecret: 'yes' }] }] },
  ],
  ['packages[0].packageArguments[0].name', { packages: [{ ...NPM, packageArguments: [{ type: 'named' }] }] }],
  ['remotes[0].type', { remotes: [{ type: 'stdio' }] }],
  ['remotes[0].url', { remotes: [{ type: 'sse', url: 'javascript:alert(1)' }] }],
  ['_meta', { _meta: [] }],
  ['status', { status: 'deleted' }],
  ['', { name: undefined, server: {}, _meta: {} }],
];

/** Fields that send an entry in ToolHive's format to quarantine, and the path of the error. */
export const FAULTY_IMAGES: readonly (readonly [path: string, fields: Record<string, unknown>])[] = [
  ['description', { description: undefined }],
  ['image', { image: '' }],
  ['transport', { transport: 'carrier-pigeon' }],
  ['env_vars[0].name', { env_vars: [{ description: 'x' }] }],
  ['tags[1]', { tags: ['a', 5] }],
  ['target_port', { target_port: 70_000 }],
  ['name', { name: 'two/slashes/here' }],
];

/** Server fields under their names in earlier schemas, and that earlier name. */
export const FORMER_SPELLINGS: readonly (readonly [fields: Record<string, unknown>, spelling: string])[] = [
  [{ version: undefined, version_detail: { version: '1.0.0' } }, 'version_detail'],
  [{ remotes: [{ transport_type: 'sse', url: 'https://a.example' }] }, 'transport_type'],
  [{ packages: [{ ...NPM, registryType: undefined, registry_name: 'npm' }] }, 'registry_name'],
];

export interface FaultyCatalogue {
  readonly what: string;
  readonly format: SourceFormat;
  readonly content: string | Buffer;
}

/** Returns every catalogue of the tables as the content of a file. */
export function faultyCatalogues(): FaultyCatalogue[] {
  const one = (format: SourceFormat, content: unknown) => {
    const isRaw = typeof content === 'string' || Buffer.isBuffer(content);
    const text = isRaw ? content : JSON.stringify(content);
    return { what: `${format}: ${text.toString('latin1').slice(0, 200)}`, format, content: text };
  };
  const beside = (fields: Record<string, unknown>) =>
    upstream(server(), server({ name: 'com.example/bad', ...fields }));
  return [
    ...FAULTY_VALUES.map(([, value]) => one('upstream', withValue(value))),
    ...FAULTY_TEXTS.flatMap(([content]) => [one('upstream', content), one('toolhive', content)]),
    ...OTHER_DOCUMENTS.map(([format, content]) => one(format, content)),
    ...LACKING_DOCUMENTS.map(([format, content]) => one(format, content)),
    ...FAULTY_SERVERS.flatMap(([, fields]) => [
      one('upstream', beside(fields)),
      one('upstream', upstream(server(fields))),
    ]),
    ...FORMER_SPELLINGS.map(([fields]) => one('upstream', beside(fields))),
    ...FAULTY_IMAGES.map(([, fields]) => one('toolhive', toolhive({ good: IMAGE, bad: { ...IMAGE, ...fields } }))),
    one('upstream', upstream(...Array.from({ length: 5 }, (_, index) => server({ name: `bad${index}` })))),
    one('upstream', upstream(server(), server())),
    one('upstream', upstream(server(), 5, null, 'text', [])),
    one('upstream', `{"data":{"servers":[${'['.repeat(100_000)}`),
    one('upstream', JSON.stringify(upstream(server(), '?')).replace('"?"', `${'['.repeat(70)}${']'.repeat(70)}`)),
    one('upstream', upstream(server(), server({ name: 'com.example/large', icons: 'x'.repeat(1024 * 1024) }))),
    one(
      'upstream',
      Buffer.from(JSON.stringify(upstream(server({ title: 'caf\u00e9' }), server({ name: 'a/b' }))), 'latin1'),
    ),
    one('upstream', {
      ...upstream(server()),
      ...Object.fromEntries(Array.from({ length: 1_500 }, (_, at) => [`f${at}`, 0])),
    }),
    one('toolhive', JSON.stringify(toolhive({ search: IMAGE, other: IMAGE })).replace('"other"', '"search"')),
    one('toolhive', toolhive({ 'a\0b': IMAGE, ['k'.repeat(300)]: IMAGE, c: IMAGE })),
    one(
      'toolhive',
      toolhive({ search: IMAGE }, { search: { description: 'd', url: 'https://a.example', transport: 'sse' } }),
    ),
  ];
}
