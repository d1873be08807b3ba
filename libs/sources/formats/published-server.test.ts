import { describe, expect, it } from 'vitest';
import { MAX_CHECKED } from './entry-fault.js';
import { PublishFault, readPublished } from './published-server.js';

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

/** Returns `SERVER` with a different value at a path such as `icons.0.theme`. */
function withField(path: string, value: unknown): Buffer {
  const server = structuredClone(SERVER);
  const steps = path.split('.');
  const last = steps.pop() as string;
  const parent = steps.reduce<Record<string, unknown>>((at, step) => at[step] as Record<string, unknown>, server);
  parent[last] = value;
  return Buffer.from(JSON.stringify(server));
}

describe('a published server', () => {
  it('may use everything in the official schema', () => {
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
  ])('must not have as %s what the schema rejects: %j', (path, value) => {
    const field = path.split('.').reduce((name, step) => (/^\d+$/.test(step) ? `${name}[${step}]` : `${name}.${step}`));
    expect(() => readPublished(withField(path, value))).toThrow(field);
  });
});

/** Returns a body with as many copies of `item` as fit into 1 MiB. */
const filled = (head: string, item: string, tail: string) => {
  const count = Math.floor((1024 * 1024 - head.length - item.length - tail.length) / (item.length + 1));
  return Buffer.from(`${head}${`${item},`.repeat(count)}${item}${tail}`);
};

const issuesOf = (body: Buffer) => {
  try {
    readPublished(body);
  } catch (error) {
    if (error instanceof PublishFault) return error.issues;
    throw error;
  }
  return [];
};

/** Returns the issues of a body, and by how many bytes the heap has grown, including garbage. */
const measured = (body: Buffer) => {
  const before = process.memoryUsage().heapUsed;
  const issues = issuesOf(body);
  return { issues, growth: process.memoryUsage().heapUsed - before };
};

const NAMED = '{"name":"io.example/a","version":"1.0.0","description":"d",';
const PACKAGE = '"packages":[{"registryType":"npm","identifier":"a","transport":{"type":"stdio"},';
const LONG = 'x'.repeat(500_000);

describe('the largest body', () => {
  it.each([
    ['packages', filled('{"packages":[', '{}', ']}')],
    ['packages that are no objects', filled(`${NAMED}"packages":[`, '1', ']}')],
    ['remotes', filled(`${NAMED}"remotes":[`, '{}', ']}')],
    ['icons', filled(`${NAMED}"icons":[`, '[]', ']}')],
    ['sizes', filled(`${NAMED}"icons":[{"src":"https://a.example","sizes":[`, '1', ']}]}')],
    ['arguments', filled(`${NAMED}${PACKAGE}"packageArguments":[`, '{}', ']}]}')],
    ['positional arguments', filled(`${NAMED}${PACKAGE}"runtimeArguments":[`, '{"type":"positional"}', ']}]}')],
    ['headers', filled(`${NAMED}"remotes":[{"type":"sse","url":"https://a.example","headers":[`, '{}', ']}]}')],
    ['choices', filled(`${NAMED}${PACKAGE}"environmentVariables":[{"name":"A","choices":[`, '1', ']}]}]}')],
    ['fields', Buffer.from(`{${Array.from({ length: 60_000 }, (_, at) => `"f${at}":{}`).join()}}`)],
  ])('of %s is reported as one error with little memory', (_what, body) => {
    const { issues, growth } = measured(body);
    expect(issues).toEqual([{ path: '', message: expect.stringContaining(`${MAX_CHECKED} fields and items`) }]);
    // The small growth shows that the body is not even parsed.
    expect(growth).toBeLessThan(16 * 1024 * 1024);
  });

  it('is not counted with more fields and items than it has', () => {
    const texts = JSON.stringify([',{['.repeat(20_000), '\\",'.repeat(20_000), '"'.repeat(20_000)]);
    expect(issuesOf(Buffer.from(`${NAMED}"extra":${texts}}`))).toEqual([]);
  });

  it('that passes the size check has at most 100 errors with short paths, with little memory', () => {
    const variables = JSON.stringify({ [LONG]: { choices: Array.from({ length: MAX_CHECKED - 100 }, () => 1) } });
    const body = Buffer.from(`${NAMED}"remotes":[{"type":"sse","url":"https://a.example","variables":${variables}}]}`);
    const { issues, growth } = measured(body);
    expect(issues).toHaveLength(100);
    expect(JSON.stringify(issues).length).toBeLessThan(50_000);
    expect(growth).toBeLessThan(100 * 1024 * 1024);
  });

  it('is checked up to the limit', () => {
    const items = (count: number) => Buffer.from(`${NAMED}"extra":[${Array.from({ length: count }, () => 1).join()}]}`);
    expect(issuesOf(items(MAX_CHECKED - 4))).toEqual([]);
    expect(issuesOf(items(MAX_CHECKED - 3))).toHaveLength(1);
  });
});
