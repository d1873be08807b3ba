import { describe, expect, it } from 'vitest';
import { PUBLISHER_PROVIDED } from '#domain/publisher-blocks.js';
import type { ServerDocument } from '#domain/server-document.js';
import type { ExportFormat } from './export-format.js';
import { DEFAULT_OPTIONS } from './export-options.js';
import { exportFormats, findFormat } from './index.js';
import { toEntries } from './testing/random-entries.js';

/** The deny lists of policies that consist of lists of rules. */
const DENY_LISTS: Readonly<Record<string, string>> = {
  'copilot-managed-settings': 'deniedMcpServers',
  'claude-managed-settings': 'deniedMcpServers',
  'vscode-policy': 'ChatDeniedMcpServers',
};

describe.each(exportFormats.map(({ id }) => id))('the format %s denies the twin', (id) => {
  const format = findFormat(id) as ExportFormat;
  const digest = `sha256:${'0'.repeat(64)}`;
  const input = { name: 'REGION', isRequired: true };
  const at = (url: string, rest: object = {}) => ({ remotes: [{ type: 'streamable-http', url, ...rest }] });
  const from = (registryType: string, identifier: string, version?: string, rest: object = {}) => ({
    packages: [
      { registryType, identifier, transport: { type: 'stdio' }, ...(version !== undefined && { version }), ...rest },
    ],
  });
  const tenant = { variables: { tenant: { isRequired: true } } };
  it.each<[string, object, object]>([
    ['at a URL', at('https://evil.example/mcp'), at('https://evil.example/mcp')],
    ['at a URL of another spelling', at('https://evil.example/mcp'), at('https://EVIL.example:443/MCP/#x')],
    [
      'at a URL with a variable',
      at('https://{tenant}.evil.example/', tenant),
      at('https://{tenant}.evil.example/', tenant),
    ],
    ['of npm', from('npm', 'evil', '1.0.0'), from('npm', 'evil', '1.0.0')],
    ['of npm with a hint', from('npm', 'evil', '1.0.0'), from('npm', 'evil', '1.0.0', { runtimeHint: 'node' })],
    ['of PyPI', from('pypi', 'evil', '1.0.0'), from('pypi', 'evil', '1.0.0')],
    ['of PyPI, spelled otherwise', from('pypi', 'evil-one', '1.0.0'), from('pypi', 'Evil_One', '1.0.0')],
    ['of NuGet', from('nuget', 'Evil', '1.0.0'), from('nuget', 'evil', '1.0.0')],
    ['of an image', from('oci', 'evil/x', '1.0.0'), from('oci', 'docker.io/evil/x:1.0.0')],
    ['of an image by digest', from('oci', `evil/x@${digest}`), from('oci', `docker.io/evil/x:2@${digest}`)],
    [
      'with a further variable',
      from('oci', 'evil/x:1'),
      from('oci', 'evil/x:1', undefined, { environmentVariables: [input] }),
    ],
    [
      'over HTTP',
      from('oci', 'evil/x:1'),
      from('oci', 'evil/x:1', undefined, { transport: { type: 'sse', url: 'http://localhost:80/' } }),
    ],
    ['of a bundle', from('mcpb', 'https://evil.example/x.mcpb'), from('mcpb', 'https://evil.example/x.mcpb')],
  ])('%s', (_, one, other) => {
    const tools = {
      'io.github.stacklok': { 'evil/x': { tools: ['t'] }, 'https://evil.example/mcp': { tools: ['t'] } },
    };
    const documentOf = (name: string, ways: object) =>
      ({
        name,
        version: '1.0.0',
        description: 'A server of tests',
        ...ways,
        _meta: { [PUBLISHER_PROVIDED]: tools },
      }) as ServerDocument;
    const [bad] = toEntries([documentOf('com.evil/bad', one)]);
    const view = toEntries([
      documentOf('com.x/innocent', other),
      { ...documentOf('com.ok/good', at('https://ok.example/')), _meta: {} },
    ]);
    const { text, results } = format.render(view, { ...DEFAULT_OPTIONS, view, denied: [bad!] });
    expect(text).not.toContain('innocent');
    expect(results.find(({ name }) => name === 'com.x/innocent')).toMatchObject({
      status: 'omitted',
      reason: 'denied',
    });
    expect(results.find(({ name }) => name === 'com.ok/good')).not.toMatchObject({ reason: 'denied' });
    const allowing = JSON.stringify(text.split(/denied|deny/i)[0]);
    expect(allowing).not.toMatch(/evil/i);
    const denied = DENY_LISTS[id];
    if (denied) expect(JSON.parse(text)[denied]).toContainEqual({ serverName: 'com.evil/bad' });
  });

  it.each<[string, object, object]>([
    ['of another version', from('npm', 'evil', '1.0.0'), from('npm', 'evil', '1.0.1')],
    [
      'with other words',
      from('npm', 'evil', '1.0.0'),
      from('npm', 'evil', '1.0.0', { packageArguments: [{ type: 'positional', value: 'x' }] }),
    ],
    ['at another path', at('https://evil.example/mcp'), at('https://evil.example/other')],
  ])('and no server %s', (_, one, other) => {
    const named = (name: string, ways: object) => ({ name, version: '1.0.0', ...ways }) as ServerDocument;
    const view = toEntries([named('com.x/innocent', other)]);
    const denied = toEntries([named('com.evil/bad', one)]);
    const { results } = format.render(view, { ...DEFAULT_OPTIONS, view, denied });
    expect(results).not.toMatchObject([{ reason: 'denied' }]);
  });
});
