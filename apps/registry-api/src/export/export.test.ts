import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { useWrittenOutput } from '#support/written-output.js';
import { main } from './main.js';

const server = (name: string, url: string) => ({
  name,
  description: 'A server',
  version: '1.0.0',
  remotes: [{ type: 'streamable-http', url }],
});
const SERVERS = [
  server('com.example/weather', 'https://weather.example/mcp'),
  server('com.example/bad', 'https://*.x/'),
];

let directory: string;
let catalogue: string;
const written = useWrittenOutput();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'export-'));
  catalogue = join(directory, 'registry.json');
  const file = { version: '1.0.0', meta: { last_updated: '2026-11-30T00:00:00Z' }, data: { servers: SERVERS } };
  await writeFile(catalogue, JSON.stringify(file));
});

afterEach(async () => {
  process.exitCode = undefined;
  await rm(directory, { recursive: true, force: true });
});

async function run(...args: string[]): Promise<number> {
  await main(args);
  return Number(process.exitCode ?? 0);
}

describe('the command export', () => {
  it('renders a catalogue file, reports omissions, and fails because of them if it is strict', async () => {
    expect(await run('copilot-managed-settings', catalogue)).toBe(0);
    expect(JSON.parse(written.stdout)).toEqual({ allowedMcpServers: [{ serverUrl: 'https://weather.example/mcp' }] });
    expect(written.stderr).toBe('omitted: com.example/bad: wildcard-in-url\n');
    expect(await run('copilot-managed-settings', catalogue, '--strict')).toBe(1);
  });

  it('lists the invalid entries of a file, and fails because of them if it is strict', async () => {
    const [weather] = SERVERS;
    const servers = [
      weather,
      { ...weather, name: 'com.example/broken', remotes: [{ type: 'http', url: 'https://x' }] },
    ];
    const file = { version: '1.0.0', meta: { last_updated: '2026-11-30T00:00:00Z' }, data: { servers } };
    await writeFile(catalogue, JSON.stringify(file));
    expect(await run('mcp-json', catalogue)).toBe(0);
    expect(written.stderr).toMatch(/^invalid: com\.example\/broken: remotes\[0\]\.type: .*streamable-http/);
    expect(await run('mcp-json', catalogue, '--strict')).toBe(1);
  });

  it.each([
    ['upstream', 'upstream', (text: string) => JSON.parse(text).meta.last_updated as unknown],
    ['toolhive', 'toolhive', (text: string) => JSON.parse(text).last_updated as unknown],
  ] as const)('keeps the time of the last update of a file in format %s', async (_, format, timeOf) => {
    const legacy = { version: '1.0.0', last_updated: '2026-10-02T03:04:05Z', servers: {}, remote_servers: {} };
    const remote = {
      description: 'Tells the weather',
      url: 'https://w.example/mcp',
      status: 'Active',
      tier: 'Official',
    };
    const file = { ...legacy, remote_servers: { weather: { ...remote, tools: ['now'], transport: 'sse' } } };
    if (format === 'toolhive') await writeFile(catalogue, JSON.stringify(file));
    expect(await run(format, catalogue)).toBe(0);
    const expected = format === 'toolhive' ? '2026-10-02T03:04:05.000Z' : '2026-11-30T00:00:00.000Z';
    expect(timeOf(written.stdout)).toBe(expected);
  });

  it('replaces a file atomically, with its report, and leaves no other files', async () => {
    const [out, report] = [join(directory, 'out.json'), join(directory, 'report.json')];
    await writeFile(out, 'old');
    expect(await run('mcp-json', catalogue, '--out', out, '--report', report, '--names', '*weather')).toBe(0);
    expect(Object.keys(JSON.parse(await readFile(out, 'utf8')).mcpServers)).toEqual(['example-weather']);
    expect(JSON.parse(await readFile(report, 'utf8'))).toMatchObject({
      format: 'mcp-json',
      entries: [{ status: 'exported' }],
    });
    expect((await readdir(directory)).toSorted()).toEqual(['out.json', 'registry.json', 'report.json']);
  });

  it('does not change the file if the input cannot be read', async () => {
    const out = join(directory, 'out.json');
    await writeFile(out, 'old');
    await writeFile(join(directory, 'broken.json'), '{"data":');
    for (const from of [join(directory, 'missing.json'), join(directory, 'broken.json'), 'http://127.0.0.1:1']) {
      expect([from, await run('mcp-json', from, '--out', out)]).toEqual([from, 3]);
      process.exitCode = undefined;
    }
    expect(await readFile(out, 'utf8')).toBe('old');
    expect(written.stderr).toContain('missing.json: does not exist\n');
  });

  it('reports an invalid command line, and suggests the nearest format', async () => {
    for (const [args, message] of [
      [['mcp-jso', catalogue], 'did you mean mcp-json?'],
      [[], 'expected a format'],
      [['mcp-json'], 'name one file or URL'],
      [['mcp-json', catalogue, '--prefer', 'x'], '--prefer must be remote or package'],
      [['mcp-json', catalogue, '--nothing'], '--nothing'],
    ] as const) {
      expect([args, await run(...args)]).toEqual([args, 2]);
      expect(written.stderr).toContain(message);
      process.exitCode = undefined;
    }
    expect(await run('list')).toBe(0);
    expect(written.stdout).toContain('mcp-json');
  });

  it('reads a registry page by page with a token, which is not sent along a redirect', async () => {
    const asked: string[] = [];
    const registry = createServer((request, response) => {
      const { searchParams, pathname } = new URL(request.url as string, 'http://x');
      asked.push(`${pathname} ${request.headers.authorization}`);
      if (pathname.startsWith('/moved')) return void response.writeHead(302, { location: '/else' }).end();
      const [index] = searchParams.get('cursor') === 'second' ? [1] : [0];
      const metadata = index === 0 ? { nextCursor: 'second' } : {};
      const updatedAt = `2026-11-0${index + 1}T00:00:00.5Z`;
      const official = { 'io.modelcontextprotocol.registry/official': { status: 'active', updatedAt } };
      response.end(JSON.stringify({ servers: [{ server: SERVERS[index], _meta: official }], metadata }));
    });
    await new Promise<void>((resolve) => void registry.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`;
    vi.stubEnv('MCP_REGISTRY_TOKEN', 'secret-token');
    try {
      expect(await run('upstream', `${url}/`)).toBe(0);
      expect(JSON.parse(written.stdout)).toMatchObject({
        meta: { last_updated: '2026-11-02T00:00:00.500Z' },
        data: { servers: [{}, {}] },
      });
      expect(asked).toEqual(['/v0.1/servers Bearer secret-token', '/v0.1/servers Bearer secret-token']);
      expect(await run('continue', `${url}/registry/team/`)).toBe(0);
      expect(written.stdout).toContain('name: "team"');
      expect(await run('upstream', `${url}/moved`)).toBe(3);
      expect(asked.some((each) => each.startsWith('/else'))).toBe(false);
      expect(written.stderr).not.toContain('secret-token');
    } finally {
      vi.unstubAllEnvs();
      registry.close();
    }
  });
});
