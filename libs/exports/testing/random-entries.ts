import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { NamedServerInput, ServerArgument, ServerDocument, ServerInput } from '#domain/server-document.js';
import { shortNames } from '../short-names.js';
import type { VisibleEntry } from '../visible-entry.js';

/** A marker in values that no export may contain. */
export const SECRET = 'S3CR3T-MARKER';

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const NAMES = [
  'com.example/weather',
  'com.example/Weather',
  'com.a.b/c',
  'com.a/b-c',
  'io.github.acme/acme-search',
  'io.github.acme/mcp',
  'com.notion/mcp',
  'io.github.stacklok/fetch',
  'x.y/server',
  `io.long/${'n'.repeat(190)}`,
  `io.long/${'n'.repeat(189)}m`,
  'a/b',
  'com.anthropic/ide',
  'COM.EXAMPLE/WEATHER',
  'com.example/weather.',
  'com.example/__proto__',
  '__proto__/constructor',
  'com.example/a--b',
  'com.example/a.b',
  'io.github.acme/hasOwnProperty',
  `${'long.'.repeat(36)}x/leaf`,
  'com.example/server-mcp',
];

/** Strings with a special meaning to a shell, a client, a policy, a launcher or a file parser. */
const HOSTILE = [
  '${GITHUB_TOKEN}',
  '$HOME',
  '${{ secrets.X }}',
  '{{x}}',
  '${input:x}',
  'a"b\\c',
  "it's",
  '-y',
  '--registry=https://evil.example',
  'a b',
  'é ü',
  'a\nb',
  'x\u202ey',
  '\ud800',
  '\u2028',
  '\u007f',
  '%50',
  '*',
  'a&b',
  '',
  '__proto__',
  '${env:HOME}',
  '${workspaceFolder}',
  '${HOME:-x}',
  '$(id)',
  '`id`',
  '%APPDATA%',
  '<NAME>',
  '{{secrets.X}}',
  '${',
  '$',
  '{',
  '}',
  "'; rm -rf ~; '",
  '# not a comment',
  '- x',
  'a: b',
  '"quoted"',
  '\t',
  '\r\n',
  '\u200b',
  '\u2066x\u2069',
  '\ufeff',
  '\u{1f600}',
  'null',
  'true',
  '1e3',
  '/etc/passwd',
  'x'.repeat(5_000),
];

const word = fc.oneof(fc.constantFrom('one', 'two', 'a.b', 'v', '--flag'), fc.constantFrom(...HOSTILE));
const input: fc.Arbitrary<ServerInput> = fc
  .record(
    {
      description: fc.constantFrom('What it is for', 'a\u0007b', ''),
      isRequired: fc.boolean(),
      isSecret: fc.boolean(),
      value: word,
      default: word,
      choices: fc.uniqueArray(fc.constantFrom('red', 'green', '$x', 'a b'), { maxLength: 3 }),
    },
    { requiredKeys: [] },
  )
  .map(withSecretMarked);

function withSecretMarked<Input extends ServerInput>(given: Input): Input {
  if (given.isSecret !== true) return given;
  return {
    ...given,
    ...(given.value !== undefined && { value: `${given.value}${SECRET}` }),
    ...(given.default !== undefined && { default: `${given.default}${SECRET}` }),
  };
}

const variables = fc.dictionary(fc.constantFrom('token', 'tenant', 'toString', '__proto__'), input, { maxKeys: 2 });
const templated = fc
  .tuple(
    input,
    fc.constantFrom(
      'Bearer {token}',
      'x{tenant}y',
      '{token}{tenant}',
      '{unknown}',
      '{toString}',
      '{__proto__}',
      '${token}',
    ),
    variables,
    fc.boolean(),
  )
  .map(([base, value, map, isUsed]) => (isUsed ? withSecretMarked({ ...base, value, variables: map }) : base));
const namedInput = (names: readonly string[]): fc.Arbitrary<NamedServerInput> =>
  fc.tuple(fc.constantFrom(...names), templated).map(([name, rest]) => ({ name, ...rest }));
const argument: fc.Arbitrary<ServerArgument> = fc
  .tuple(
    fc.constantFrom('named', 'positional'),
    fc.constantFrom('--a', '-e', 'run', '--yes', '--', '-c', 'API_KEY', '--${x}', ''),
    word,
    templated,
  )
  .map(([type, name, valueHint, rest]) =>
    type === 'named' ? { type: 'named', name, ...rest } : { type: 'positional', valueHint, ...rest },
  );

const pack = fc.record(
  {
    registryType: fc.constantFrom('npm', 'pypi', 'oci', 'nuget', 'mcpb', 'cargo', 'odd'),
    identifier: fc.constantFrom(
      '@example/weather',
      '@Example/weather',
      'weather',
      'weather[cli]',
      'ghcr.io/acme/search',
      'ghcr.io/acme/search:1.2.3',
      'localhost:5000/a/b',
      `ghcr.io/acme/search@sha256:${'a'.repeat(64)}`,
      '-y',
      'git+https://evil.example/x',
      'file:../x',
      '../x',
      'https://evil.example/x.mcpb',
      '${X}',
      'a b',
      'weather;id',
      'weather@1.0.0',
      'weather --x',
      '@example',
      'MÜNCHEN/x',
      'ghcr.io/acme/search:latest',
      'ghcr.io:443/acme/search',
      'w'.repeat(1_100),
    ),
    transport: fc.constantFrom(
      { type: 'stdio' },
      { type: 'stdio' },
      { type: 'streamable-http', url: 'http://localhost:1' },
    ),
    registryBaseUrl: fc.constantFrom(
      'https://registry.npmjs.org/',
      'https://npm.corp.example',
      'https://u:p@corp.example',
      'https://npm.corp.example:4873/a?b=$c',
      'https://npm.corp.example/${HOME}',
      'x',
    ),
    version: fc.constantFrom(
      '1.0.0',
      '1.0.0',
      'latest',
      '2',
      '-rf',
      'https://evil.example',
      '1 2',
      '1.0.0+b',
      '^1.0.0',
      '${V}',
      '1.0.0\n',
      '',
    ),
    fileSha256: fc.constant('a'.repeat(64)),
    runtimeHint: fc.constantFrom('npx', 'uvx', 'docker', 'podman', 'bunx', 'sh', '/bin/sh'),
    runtimeArguments: fc.array(argument, { maxLength: 2 }),
    packageArguments: fc.array(argument, { maxLength: 3 }),
    environmentVariables: fc.array(
      namedInput(['API_KEY', 'api_key', 'GITHUB_TOKEN', '1BAD', 'A B', '__proto__', 'L'.repeat(1_100), 'PATH']),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: ['registryType', 'identifier', 'transport'] },
);

const remote = fc.record(
  {
    type: fc.constantFrom('sse', 'streamable-http'),
    url: fc.constantFrom(
      'https://mcp.example.com/mcp',
      'https://MCP.example.com:443/mcp#x',
      'https://mcp.example.com/MCP',
      'https://mcp.example.com',
      'https://mcp.example.com/?a=1',
      'https://{tenant}.example.com/mcp',
      'https://mcp.example.com/{token}',
      'https://u:p@mcp.example.com/mcp',
      'https://*.example.com/mcp',
      'https://mcp.example.com/${HOME}',
      'http://mcp.example.com/mcp',
      'https://münchen.example/x',
      'ftp://x/y',
      'https://mcp.example.com:8443/mcp',
      'https://mcp.example.com:0443/mcp',
      'https://[::1]:8080/mcp',
      'https://xn--mnchen-3ya.example/x',
      'https://MÜNCHEN.example/x',
      'https://user@mcp.example.com/mcp',
      'https://mcp.example.com/a/../mcp',
      'https://mcp.example.com/%2e%2e/mcp',
      'https://mcp.example.com/m\u0441p',
      'https://mcp.example.com./mcp',
      'https://mcp.example.com/mcp?a=b&c=%25',
      'https://{tenant}/mcp',
      'https://{tenant}.{token}.example.com/mcp',
      'javascript:alert(1)',
      'https://',
      '',
      '{token}',
    ),
    headers: fc.array(
      namedInput(['Authorization', 'X-Api-Key', 'X A', 'x-api-key', '__proto__', 'constructor', 'X\r\nY']),
      { maxLength: 2 },
    ),
    variables,
  },
  { requiredKeys: ['type', 'url'] },
);

const server: fc.Arbitrary<ServerDocument> = fc.record(
  {
    name: fc.constantFrom(...NAMES),
    version: fc.constantFrom('1.0.0', '2.0.0-rc.1'),
    title: fc.constantFrom('Weather', 'T'.repeat(200), '\u202eevil', ''),
    description: fc.constantFrom('Forecasts', 'D'.repeat(200), '', 'a\nb'),
    packages: fc.array(pack, { maxLength: 2 }),
    remotes: fc.array(remote, { maxLength: 2 }),
  },
  { requiredKeys: ['name', 'version'] },
);

/** Entries with valid and hostile content, each with its short name. */
export const randomEntries: fc.Arbitrary<readonly VisibleEntry[]> = fc
  .uniqueArray(server, { selector: ({ name }) => name, maxLength: 6 })
  .chain((servers) =>
    fc
      .array(fc.constantFrom('active', 'deprecated'), { minLength: servers.length, maxLength: servers.length })
      .map((statuses) => toEntries(servers, statuses)),
  );

export function toEntries(
  servers: readonly ServerDocument[],
  statuses: readonly ('active' | 'deprecated')[] = [],
): readonly VisibleEntry[] {
  const short = shortNames(
    servers.map(({ name }) => name),
    sha256,
  );
  return servers.map((each, index) => ({
    server: each,
    status: statuses[index] ?? 'active',
    shortName: short.get(each.name),
  }));
}
