import { describe, expect, it } from 'vitest';
import { readPublished } from './published-server.js';

const SERVER = {
  $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
  name: 'io.example/a',
  version: '1.0.0',
  description: 'Reads',
  icons: [{ src: 'https://example.com/a.png', mimeType: 'image/png', sizes: ['48x48', 'any'], theme: 'dark' }],
  packages: [
    {
      registryType: 'mcpb',
      registryBaseUrl: 'https://example.com',
      identifier: 'https://example.com/a.mcpb',
      version: '1.2.3',
      fileSha256: 'a'.repeat(64),
      transport: { type: 'sse', url: 'https://localhost/{port}', headers: [{ name: 'X', format: 'string' }] },
      packageArguments: [{ type: 'positional', value: '{n}', variables: { n: { format: 'number' } } }],
      environmentVariables: [{ name: 'FILE', format: 'filepath' }],
    },
  ],
  remotes: [{ type: 'sse', url: 'https://example.com/{id}', variables: { id: { format: 'boolean' } } }],
};

/** `SERVER` with something else at a path such as `icons.0.theme`. */
function withField(path: string, value: unknown): Buffer {
  const server = structuredClone(SERVER);
  const steps = path.split('.');
  const last = steps.pop() as string;
  const parent = steps.reduce<Record<string, unknown>>((at, step) => at[step] as Record<string, unknown>, server);
  parent[last] = value;
  return Buffer.from(JSON.stringify(server));
}

describe('a published server', () => {
  it('may use all that the official schema has', () => {
    expect(readPublished(Buffer.from(JSON.stringify(SERVER))).entry).toMatchObject({ name: 'io.example/a' });
  });

  it.each([
    ['$schema', 'x'],
    ['icons.0.src', 'no address'],
    ['icons.0.src', `https://example.com/${'x'.repeat(255)}`],
    ['icons.0.mimeType', 'text/html'],
    ['icons.0.sizes', ['big']],
    ['icons.0.theme', 'blue'],
    ['packages.0.registryBaseUrl', 'x y'],
    ['packages.0.version', 'latest'],
    ['packages.0.version', '^1.2.3'],
    ['packages.0.fileSha256', 'A'.repeat(64)],
    ['packages.0.transport.headers.0.format', 'date'],
    ['packages.0.packageArguments.0.format', 'date'],
    ['packages.0.packageArguments.0.variables.n.format', 'date'],
    ['packages.0.environmentVariables.0.format', 'date'],
    ['remotes.0.variables.id.format', 'date'],
  ])('must not have as %s what the schema does not: %j', (path, value) => {
    const field = path.split('.').reduce((name, step) => (/^\d+$/.test(step) ? `${name}[${step}]` : `${name}.${step}`));
    expect(() => readPublished(withField(path, value))).toThrow(field);
  });
});
