import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { parse as parseToml } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { PUBLISHER_PROVIDED } from '#domain/publisher-blocks.js';
import type { ServerDocument } from '#domain/server-document.js';
import { renderClientFile } from './client-file.js';
import { defineExport } from './export-format.js';
import type { ExportFormat, Rendered } from './export-format.js';
import { DEFAULT_OPTIONS } from './export-options.js';
import type { Dialect, ExportOptions } from './export-options.js';
import { mcpJsonFile } from './formats/mcp-json.export.js';
import { exportFormats, findFormat } from './index.js';
import { NOTES, OMISSION_REASONS } from './omission.js';
import { randomEntries, SECRET, toEntries } from './testing/random-entries.js';
import type { VisibleEntry } from './visible-entry.js';

const RUNS = { numRuns: Number(process.env['EXPORT_RUNS'] ?? 60) };

const options: fc.Arbitrary<ExportOptions> = fc
  .record({
    prefer: fc.constantFrom('remote', 'package'),
    pinned: fc.constantFrom('any', 'only'),
    platform: fc.constantFrom('any', 'posix', 'windows'),
    dialects: fc
      .uniqueArray(fc.constantFrom<Dialect>('portable', 'vscode', 'apm'), { minLength: 1 })
      .map((dialects) => new Set(dialects)),
    include: fc
      .uniqueArray(fc.constantFrom<'server-names' | 'templates'>('server-names', 'templates'))
      .map((include) => new Set(include)),
    env: fc.constantFrom('prefixed', 'plain'),
    overridable: fc.boolean(),
  })
  .map((given) => ({ ...DEFAULT_OPTIONS, ...given }));

const format = (id: string): ExportFormat => findFormat(id) as ExportFormat;

interface List {
  serverUrl?: string;
  serverCommand?: string[];
  serverName?: string;
}

/** Renders a policy and returns its allow list. */
function allowed(id: string, entries: readonly VisibleEntry[], given: ExportOptions): List[] {
  const { text } = format(id).render(entries, { ...given, view: entries, overridable: false });
  const parsed = JSON.parse(text) as Record<string, List[]>;
  return (parsed['allowedMcpServers'] ?? parsed['ChatAllowedMcpServers']) as List[];
}

const escaped = (text: string) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');

/** How each client matches a URL against a pattern, based on the documentation and on the source code of VS Code. */
const URL_MATCHERS: Readonly<Record<string, (pattern: string, url: string) => boolean>> = {
  'copilot-managed-settings': (pattern, url) => {
    const [, scheme = '', authority = '', rest = ''] = /^(\w+:\/\/)([^/]*)(.*)$/.exec(pattern) ?? [];
    const source = `${escaped(scheme)}${escaped(authority).replaceAll('*', '[^/]*')}${escaped(rest).replaceAll('*', '.*')}`;
    return new RegExp(`^${source}$`).test(new URL(url).href);
  },
  'claude-managed-settings': (pattern, url) => {
    const hasPath = /^\w+:\/\/[^/]*\//.test(pattern);
    const source = escaped(pattern).replaceAll('*', '.*');
    return new RegExp(hasPath ? `^${source}$` : `^${source}(/.*)?$`).test(new URL(url).href);
  },
  'vscode-policy': (pattern, url) => {
    const { origin, pathname, search } = new URL(url);
    const [, scheme = '', authority = '', rest = ''] = /^(\w+:\/\/)([^/]*)(.*)$/.exec(pattern) ?? [];
    const source = `${escaped(scheme)}${escaped(authority).replaceAll('*', '[^/@\\\\?#]*')}${escaped(rest).replaceAll('*', '.*')}`;
    return new RegExp(`^${source}$`, 'i').test(`${origin}${pathname}${search}`);
  },
};

interface Started {
  readonly name: string;
  readonly command?: readonly string[];
  readonly url?: string;
}

/** Returns the start command or URL of each server in a client file. */
function startedBy(id: string, entries: readonly VisibleEntry[], given: ExportOptions): Started[] {
  const { text } = format(id).render(entries, { ...given, view: entries });
  const parsed = (id === 'codex' ? parseToml(text) : JSON.parse(text)) as Record<string, unknown>;
  const servers = (parsed['mcpServers'] ?? parsed['servers'] ?? parsed['mcp_servers'] ?? {}) as Record<
    string,
    { command?: string; args?: string[]; url?: string; serverUrl?: string }
  >;
  const inputs = (parsed['inputs'] ?? []) as { id: string; default?: string }[];
  const chosen = (text: string) =>
    text.replaceAll(/\$\{input:([^}]+)\}/g, (whole, id) => inputs.find((each) => each.id === id)?.default ?? whole);
  return Object.entries(servers).map(([key, { command, args = [], url, serverUrl }]) => ({
    name: entries.find(({ shortName }) => shortName === key)?.server.name as string,
    ...(command !== undefined && { command: [command, ...args.map(chosen)] }),
    ...((url ?? serverUrl) !== undefined && { url: (url ?? serverUrl) as string }),
  }));
}

const packageOf = (registryType: string) => ({
  registryType,
  identifier: 'weather',
  version: '1.0.0',
  runtimeHint: 'npx',
  registryBaseUrl: 'https://registry.npmjs.org',
  transport: { type: 'stdio' },
});
const REMOTE = { type: 'streamable-http', url: 'https://mcp.example.com/mcp' };

const POLICIES = ['copilot-managed-settings', 'claude-managed-settings', 'vscode-policy'];

describe('every format, for any catalogue', () => {
  it('gives the same bytes for the same entries in any order, and a text that passes its check', () => {
    fc.assert(
      fc.property(randomEntries, options, fc.nat(), (entries, given, turn) => {
        const turned = entries.map((_, index) => entries[(index + turn) % entries.length] as VisibleEntry);
        for (const each of exportFormats) {
          const rendered = each.render(entries, { ...given, view: entries });
          expect(rendered.faults).toEqual([]);
          expect(each.render(turned, { ...given, view: turned }).text).toBe(rendered.text);
          each.check(rendered.text);
          expect(rendered.text.isWellFormed()).toBe(true);
          if (each.mediaType === 'application/json') JSON.parse(rendered.text);
          if (each.mediaType === 'application/toml') parseToml(rendered.text);
          if (each.mediaType === 'application/yaml') parseYaml(rendered.text);
        }
      }),
      RUNS,
    );
  });

  it('reports each entry once, as exported or with a known reason', () => {
    fc.assert(
      fc.property(randomEntries, options, (entries, given) => {
        const names = entries.map(({ server }) => server.name).toSorted();
        for (const each of exportFormats) {
          const { results, notes } = each.render(entries, { ...given, view: entries });
          expect(results.map(({ name }) => name)).toEqual(names);
          for (const result of results) {
            expect(result.status === 'exported').toBe(result.reason === undefined);
            for (const part of [result, ...result.ways]) {
              if (part.reason !== undefined) expect(OMISSION_REASONS).toHaveProperty([part.reason]);
              for (const note of part.notes ?? []) expect(NOTES).toHaveProperty([note]);
            }
          }
          for (const note of notes) expect(NOTES).toHaveProperty([note]);
        }
      }),
      RUNS,
    );
  });

  it('never shows the value of a secret, except for the file that repeats the lists', () => {
    fc.assert(
      fc.property(randomEntries, options, (entries, given) => {
        for (const each of exportFormats) {
          if (each.id === 'upstream') continue;
          const { text, results } = each.render(entries, { ...given, view: entries, denied: entries.slice(0, 1) });
          expect(decodeURIComponent(text.replace(/%(?![0-9a-f]{2})/gi, '%25'))).not.toContain(SECRET);
          expect(JSON.stringify(results)).not.toContain(SECRET);
          for (const [encoded] of text.matchAll(/[A-Za-z0-9+/]{40,}/g)) {
            expect(Buffer.from(encoded, 'base64').toString()).not.toContain(SECRET);
          }
        }
      }),
      RUNS,
    );
  });

  /** An entry that makes every format throw an unexpected error. */
  const broken: ServerDocument = {
    name: 'com.example/throws',
    version: '1.0.0',
    get remotes(): never {
      throw new Error('broken');
    },
  };

  it.each(exportFormats.map(({ id }) => id))('of %s omits an entry that it cannot render, and no other', (id) => {
    fc.assert(
      fc.property(randomEntries, options, (others, given) => {
        const all = toEntries([...others.map(({ server }) => server), broken]);
        const good = all.filter(({ server }) => server !== broken);
        const { text, results, faults } = format(id).render(all, { ...given, view: all });
        expect(faults).toHaveLength(1);
        expect(results.find(({ name }) => name === broken.name)).toMatchObject({
          status: 'omitted',
          reason: 'internal',
        });
        expect(text).toBe(format(id).render(good, { ...given, view: good }).text);
      }),
      { numRuns: 8 },
    );
  });

  it.each(exportFormats.map(({ id }) => id))(
    'of %s is not changed by an entry of the view or of the denied ones that cannot be rendered',
    (id) => {
      fc.assert(
        fc.property(randomEntries, options, (others, given) => {
          const all = toEntries([...others.map(({ server }) => server), broken]);
          const good = all.filter(({ server }) => server !== broken);
          const inView = format(id).render(good, { ...given, view: all });
          expect(inView.text).toBe(format(id).render(good, { ...given, view: good }).text);
          const denied = toEntries([broken, { name: 'com.example/denied', version: '1.0.0', remotes: [REMOTE] }]);
          const besides = format(id).render(good, { ...given, view: good, denied });
          const without = format(id).render(good, { ...given, view: good, denied: denied.slice(1) });
          expect(besides.results).toEqual(without.results);
          if (besides.text !== without.text) expect(besides.text).toContain(broken.name);
        }),
        { numRuns: 8 },
      );
    },
  );

  it.each(exportFormats.map(({ id }) => id))(
    'of %s treats a package type named like a member of every object as unknown',
    (id) => {
      const [good] = toEntries([
        {
          name: 'com.example/good',
          version: '1.0.0',
          description: 'Tells the weather',
          packages: [packageOf('npm')],
          remotes: [REMOTE],
          _meta: { [PUBLISHER_PROVIDED]: { 'io.github.stacklok': { [REMOTE.url]: { tools: ['forecast'] } } } },
        },
      ]);
      for (const registryType of [...Object.getOwnPropertyNames(Object.prototype), 'prototype', 'name', 'length']) {
        for (const pinned of ['any', 'only'] as const) {
          const document = (type: string) => ({
            name: 'com.example/odd',
            version: '1.0.0',
            packages: [packageOf(type)],
          });
          const render = (type: string) => {
            const all = [good!, ...toEntries([document(type)])];
            return format(id).render(all, { ...DEFAULT_OPTIONS, pinned, view: all });
          };
          const { text, results, faults } = render(registryType);
          expect(faults).toEqual([]);
          expect(results[0]).toMatchObject({ name: 'com.example/good', status: 'exported' });
          const unknown = render('unknown-type');
          expect(JSON.stringify(results).replaceAll(registryType, 'unknown-type')).toBe(
            JSON.stringify(unknown.results).replaceAll(registryType, 'unknown-type'),
          );
          if (id !== 'upstream') expect(text).toBe(unknown.text);
        }
      }
    },
  );
});

it.each(exportFormats)(
  'the documentation describes the clients of $id and what it enforces',
  ({ id, file, client, status }) => {
    const docs = readFileSync(new URL('../../docs/mcpregistry.md', import.meta.url), 'utf8');
    const row = docs.split('\n').find((line) => line.startsWith(`| \`${id}\` `)) ?? '';
    const cells = row.split('|').map((cell) => cell.trim());
    expect(cells.slice(1, 5)).toEqual([`\`${id}\``, `\`${file}\``, client, status]);
    expect(cells[5]).not.toBe('');
  },
);

describe('a policy, for any catalogue', () => {
  it('admits the commands of the entry itself, and of no other entry except one with the same identity', () => {
    fc.assert(
      fc.property(randomEntries, options, (entries, given) => {
        const strict = { ...given, include: new Set<never>(), dialects: new Set<Dialect>(['portable', 'vscode']) };
        const known = ['mcp-json', 'vscode', 'cursor'].flatMap((id) =>
          (['remote', 'package'] as const).flatMap((prefer) => startedBy(id, entries, { ...strict, prefer })),
        );
        for (const policy of POLICIES) {
          const matches = URL_MATCHERS[policy] as (typeof URL_MATCHERS)[string];
          for (const entry of entries) {
            const { text } = format(policy).render([entry], { ...strict, view: entries, overridable: false });
            const rules = Object.values(JSON.parse(text) as Record<string, List[]>).find(Array.isArray) as List[];
            for (const { serverUrl, serverCommand, serverName } of rules) {
              expect(serverName).toBeUndefined();
              expect(`${serverUrl ?? ''}${serverCommand?.join(' ') ?? ''}`).not.toContain('$');
              for (const { name, command, url } of known) {
                if (name === entry.server.name) continue;
                const admits =
                  (serverUrl !== undefined && url !== undefined && URL.canParse(url) && matches(serverUrl, url)) ||
                  (serverCommand !== undefined && JSON.stringify(serverCommand) === JSON.stringify(command));
                if (!admits) continue;
                const { results } = format(policy).render([entry], { ...strict, view: entries });
                const notes = results.flatMap(({ ways }) => ways.flatMap((way) => way.notes ?? []));
                expect(notes).toContain('same-command-as');
              }
            }
          }
        }
      }),
      RUNS,
    );
  });

  it('admits every command and URL of every client file, or reports why not', () => {
    fc.assert(
      fc.property(randomEntries, options, (entries, base) => {
        const given = {
          ...base,
          dialects: new Set<Dialect>(['portable', 'vscode']),
          platform: 'any' as const,
          include: new Set<never>(),
        };
        for (const policy of POLICIES) {
          const rules = allowed(policy, entries, given);
          const { results } = format(policy).render(entries, { ...given, view: entries });
          for (const file of ['mcp-json', 'vscode', 'cursor', 'windsurf', 'gemini', 'claude-desktop', 'lmstudio']) {
            for (const { name, command, url } of startedBy(file, entries, given)) {
              const isAdmitted = rules.some(({ serverUrl, serverCommand }) =>
                command
                  ? JSON.stringify(serverCommand) === JSON.stringify(command)
                  : serverUrl !== undefined && URL.canParse(url as string) && new URL(url as string).href === serverUrl,
              );
              if (isAdmitted) continue;
              const report = results.find((result) => result.name === name);
              const kind = command ? 'packages' : 'remotes';
              expect(report?.ways.some(({ way, status }) => way.startsWith(kind) && status === 'omitted')).toBe(true);
            }
          }
        }
      }),
      RUNS,
    );
  });

  it('of Codex lists the identities of its client file under the same names', () => {
    fc.assert(
      fc.property(randomEntries, options, (entries, given) => {
        const { text, results } = format('codex-requirements').render(entries, { ...given, view: entries });
        const rules = parseToml(text)['mcp_servers'] as Record<
          string,
          { identity: { url?: string; command?: { executable: string; args: { value: string }[] } } }
        >;
        for (const { name, command, url } of startedBy('codex', entries, given)) {
          const key = entries.find(({ server }) => server.name === name)?.shortName as string;
          const identity = rules[key]?.identity;
          const listed = identity?.command && [
            identity.command.executable,
            ...identity.command.args.map(({ value }) => value),
          ];
          const isSame = command ? JSON.stringify(listed) === JSON.stringify(command) : identity?.url === url;
          if (!isSame)
            expect(results.find((result) => result.name === name)?.ways.some((way) => way.reason)).toBe(true);
        }
      }),
      RUNS,
    );
  });

  it('contains names only on request, and never admits a kind of server by its name alone', () => {
    const [entry] = toEntries([
      { name: 'com.example/crm', version: '1.0.0', remotes: [{ type: 'sse', url: 'https://mcp.example.com' }] },
    ]);
    const given = { ...DEFAULT_OPTIONS, include: new Set(['server-names'] as const) };
    expect(allowed('claude-managed-settings', [entry!], given)).toEqual([
      { serverUrl: 'https://mcp.example.com/' },
      { serverName: 'example-crm' },
      { serverCommand: ['mcp-registry-admits-no-command'] },
    ]);
    expect(allowed('copilot-managed-settings', [entry!], given)).toEqual([
      { serverUrl: 'https://mcp.example.com/' },
      { serverName: 'com.example/crm' },
      { serverName: 'example-crm' },
    ]);
  });

  it('denies what another view contains, under any name', () => {
    const entries = toEntries([
      { name: 'com.example/good', version: '1.0.0', remotes: [{ type: 'sse', url: 'https://good.example/x' }] },
      { name: 'com.example/twin', version: '1.0.0', remotes: [{ type: 'sse', url: 'https://bad.example/x' }] },
      { name: 'com.example/bad', version: '1.0.0', remotes: [{ type: 'sse', url: 'https://bad.example/x' }] },
    ]);
    const [good, twin, bad] = entries as [VisibleEntry, VisibleEntry, VisibleEntry];
    const given = { ...DEFAULT_OPTIONS, view: [good, twin], denied: [bad] };
    const rendered = format('copilot-managed-settings').render([good, twin], given);
    expect(JSON.parse(rendered.text)).toEqual({
      allowedMcpServers: [{ serverUrl: 'https://good.example/x' }],
      deniedMcpServers: [
        { serverUrl: 'https://bad.example/x' },
        { serverName: 'com.example/bad' },
        { serverName: 'example-bad' },
      ],
    });
    expect(rendered.results).toMatchObject([
      { name: 'com.example/good', status: 'exported' },
      {
        name: 'com.example/twin',
        status: 'omitted',
        reason: 'denied',
        detail: expect.stringContaining('com.example/bad'),
        ways: [{ reason: 'denied', names: ['com.example/bad'] }],
      },
    ]);
  });

  it('keeps a deny rule for a short name that an entry of the view has, and reports that', () => {
    const remoteAt = (url: string) => [{ type: 'sse', url }];
    const [taker] = toEntries([
      { name: 'org.evil/bad', version: '1.0.0', remotes: remoteAt('https://other.example/') },
    ]);
    const denied = toEntries([{ name: 'com.evil/bad', version: '1.0.0', remotes: remoteAt('https://evil.example/') }]);
    const view = [taker!];
    const { text, results } = format('vscode-policy').render(view, { ...DEFAULT_OPTIONS, view, denied });
    expect(JSON.parse(text)['ChatDeniedMcpServers']).toContainEqual({ serverName: 'evil-bad' });
    expect(results).toMatchObject([{ status: 'exported', notes: ['short-name-denied'] }]);
  });

  it.each(['copilot-managed-settings', 'apm-policy', 'claude-managed-mcp'])(
    'of %s denies what a part of its own view contains, even if that was read several times',
    (id) => {
      const read = () =>
        toEntries(
          ['good', 'bad'].map((name) => ({
            name: `com.example/${name}`,
            version: '1.0.0',
            remotes: [{ type: 'sse', url: `https://${name}.example/x` }],
          })),
        );
      const [view, again] = [read(), read()];
      const given = { ...DEFAULT_OPTIONS, view, denied: again.slice(1) };
      const { text, results } = format(id).render(view, given);
      expect(results).toMatchObject([
        { name: 'com.example/bad', status: 'omitted', reason: 'denied' },
        { name: 'com.example/good', status: 'exported' },
      ]);
      if (id === 'claude-managed-mcp') expect(text).not.toContain('bad');
      if (id === 'apm-policy') {
        expect(parseYaml(text).mcp).toMatchObject({ allow: ['com.example/good'], deny: ['com.example/bad'] });
      }
      if (id === 'copilot-managed-settings') {
        expect(JSON.parse(text)).toEqual({
          allowedMcpServers: [{ serverUrl: 'https://good.example/x' }],
          deniedMcpServers: [
            { serverUrl: 'https://bad.example/x' },
            { serverName: 'com.example/bad' },
            { serverName: 'example-bad' },
          ],
        });
      }
    },
  );
});

describe('a link', () => {
  it.each([3_000, 200_000, 900_000])(
    'is omitted for a server whose configuration has %i characters, and only then',
    (length) => {
      const large = {
        ...packageOf('npm'),
        packageArguments: [{ type: 'positional' as const, value: 'x'.repeat(length) }],
      };
      const entries = toEntries([
        { name: 'com.example/good', version: '1.0.0', remotes: [REMOTE] },
        { name: 'com.example/large', version: '1.0.0', packages: [large] },
      ]);
      const { text, faults } = format('install-links').render(entries, { ...DEFAULT_OPTIONS, view: entries });
      const listed = (JSON.parse(text) as { entries: { links: object; commands: object }[] }).entries;
      expect(faults).toEqual([]);
      expect(listed.map(({ links }) => Object.keys(links))).toEqual([
        ['vscode', 'vscodeInsiders', 'vscodeWeb', 'cursor', 'lmstudio', 'windsurf'],
        ['windsurf'],
      ]);
      expect(listed.map(({ commands }) => Object.keys(commands))).toEqual([
        ['claude', 'codex'],
        ['claude', 'codex'],
      ]);
    },
  );

  it('decodes, by the steps of its client, to the content of the file of that client', () => {
    fc.assert(
      fc.property(randomEntries, options, (entries, given) => {
        const render = (id: string) => JSON.parse(format(id).render(entries, { ...given, view: entries }).text);
        const links = render('install-links') as {
          entries: { name: string; shortName: string; links: Record<string, string> }[];
        };
        const [editor, cursor, studio] = ['vscode', 'cursor', 'lmstudio'].map(render);
        for (const { shortName, links: own } of links.entries) {
          if (own['vscode']) {
            const query = own['vscode'].slice('vscode:mcp/install?'.length);
            const { name, inputs = [], ...server } = JSON.parse(decodeURIComponent(decodeURIComponent(query)));
            expect({ name, server }).toEqual({ name: shortName, server: editor.servers[shortName] });
            for (const input of inputs) expect(editor.inputs).toContainEqual(input);
          }
          for (const [client, file] of [
            ['cursor', cursor],
            ['lmstudio', studio],
          ] as const) {
            if (!own[client]) continue;
            const config = new URL(own[client]).searchParams.get('config') as string;
            expect(JSON.parse(Buffer.from(config, 'base64').toString())).toEqual(file.mcpServers[shortName]);
          }
        }
      }),
      RUNS,
    );
  });
});

describe('a command of an install link', () => {
  interface Listed {
    shortName: string;
    commands: Record<string, string[]>;
  }
  const listed = (entries: readonly VisibleEntry[], given: ExportOptions) => {
    const { text } = format('install-links').render(entries, { ...given, view: entries });
    return (JSON.parse(text) as { entries: Listed[] }).entries;
  };

  /** Returns the configuration that Codex writes for its command `mcp add`. */
  function addedToCodex(command: readonly string[]): object {
    const [words, program] = splitAt(command.slice(4), '--');
    const valuesOf = (option: string) => words.flatMap((word, at) => (words[at - 1] === option ? [word] : []));
    const [url] = valuesOf('--url');
    const [token] = valuesOf('--bearer-token-env-var');
    const env = valuesOf('--env').map((each) => /^([^=]*)=(.*)$/s.exec(each)?.slice(1) ?? []);
    const [name, ...args] = program;
    return {
      ...(name !== undefined && { command: name }),
      ...(args.length > 0 && { args }),
      ...(env.length > 0 && { env: Object.fromEntries(env) as object }),
      ...(url !== undefined && { url }),
      ...(token !== undefined && { bearer_token_env_var: token }),
    };
  }

  const splitAt = (words: readonly string[], mark: string) => {
    const at = words.indexOf(mark);
    return at < 0 ? [words, []] : ([words.slice(0, at), words.slice(at + 1)] as const);
  };

  it('adds to Codex what the file for Codex contains, and is absent if it cannot', () => {
    fc.assert(
      fc.property(randomEntries, options, (entries, given) => {
        const file = parseToml(format('codex').render(entries, { ...given, view: entries }).text) as {
          mcp_servers?: Record<string, Record<string, unknown>>;
        };
        for (const { shortName, commands } of listed(entries, given)) {
          const server = file.mcp_servers?.[shortName];
          const isWhole = server && !['env_vars', 'http_headers', 'env_http_headers'].some((name) => name in server);
          expect([shortName, commands['codex'] !== undefined]).toEqual([shortName, isWhole === true]);
          if (commands['codex']) expect(addedToCodex(commands['codex'])).toEqual(server);
        }
      }),
      RUNS,
    );
  });

  it('has the environment and the token of a server, and none for a server with other headers', () => {
    const headers = (...list: object[]) => ({
      remotes: [{ type: 'streamable-http', url: 'https://a.example/mcp', headers: list }],
    });
    const token = { name: 'Authorization', value: 'Bearer {key}', variables: { key: { isRequired: true } } };
    const environmentVariables = [{ name: 'LEVEL', value: 'info' }];
    const pack = { registryType: 'npm', identifier: 'a', version: '1.0.0', transport: { type: 'stdio' } };
    const entries = toEntries([
      { name: 'com.example/env', version: '1.0.0', packages: [{ ...pack, environmentVariables }] },
      { name: 'com.example/token', version: '1.0.0', ...headers(token) },
      { name: 'com.example/header', version: '1.0.0', ...headers({ name: 'X-Team', value: 'a' }) },
    ] as ServerDocument[]);
    expect(listed(entries, DEFAULT_OPTIONS).map(({ commands }) => commands['codex']?.slice(4))).toEqual([
      ['--env', 'LEVEL=info', '--', 'npx', '-y', 'a@1.0.0'],
      undefined,
      ['--url', 'https://a.example/mcp', '--bearer-token-env-var', 'EXAMPLE_TOKEN__KEY'],
    ]);
  });
});

describe('a client file', () => {
  const [weather, crm] = toEntries([
    {
      name: 'com.example/weather',
      version: '1.4.0',
      packages: [
        {
          registryType: 'npm',
          identifier: '@example/weather',
          version: '1.4.0',
          transport: { type: 'stdio' },
          environmentVariables: [{ name: 'API_KEY', isRequired: true, isSecret: true, description: 'Key' }],
        },
      ],
    },
    {
      name: 'com.example/crm',
      version: '1.0.0',
      remotes: [
        {
          type: 'streamable-http',
          url: 'https://mcp.example.com/mcp',
          headers: [
            {
              name: 'Authorization',
              value: 'Bearer {token}',
              isRequired: true,
              variables: { token: { isRequired: true, isSecret: true } },
            },
          ],
        },
      ],
    },
  ]) as [VisibleEntry, VisibleEntry];
  const text = (id: string, given: Partial<ExportOptions> = {}) =>
    format(id).render([weather, crm], { ...DEFAULT_OPTIONS, ...given, view: [weather, crm] }).text;

  it('of Claude Code and Copilot contains placeholders that no other server can use', () => {
    expect(JSON.parse(text('mcp-json'))).toEqual({
      mcpServers: {
        'example-crm': {
          type: 'http',
          url: 'https://mcp.example.com/mcp',
          headers: { Authorization: 'Bearer ${EXAMPLE_CRM__TOKEN}' },
        },
        'example-weather': {
          type: 'stdio',
          command: 'npx',
          args: ['-y', '@example/weather@1.4.0'],
          env: { API_KEY: '${EXAMPLE_WEATHER__API_KEY}' },
        },
      },
    });
  });

  it('of VS Code prompts for missing values', () => {
    expect(JSON.parse(text('vscode'))).toMatchObject({
      inputs: [
        { type: 'promptString', id: 'example-crm.TOKEN', password: true },
        { type: 'promptString', id: 'example-weather.API_KEY', description: 'Key', password: true },
      ],
      servers: { 'example-weather': { env: { API_KEY: '${input:example-weather.API_KEY}' } } },
    });
  });

  it('of Codex forwards variables only by their own names', () => {
    expect(text('codex', { env: 'plain' })).toBe(
      `[mcp_servers.example-crm]
url = "https://mcp.example.com/mcp"
bearer_token_env_var = "TOKEN"

[mcp_servers.example-weather]
command = "npx"
args = ["-y", "@example/weather@1.4.0"]
env_vars = ["API_KEY"]
`,
    );
    expect(parseToml(text('codex'))).toMatchObject({
      mcp_servers: { 'example-crm': { bearer_token_env_var: 'EXAMPLE_CRM__TOKEN' } },
    });
  });

  it('of Codex requirements compares every word of a command', () => {
    expect(text('codex-requirements')).toBe(
      `[mcp_servers.example-crm.identity]
url = "https://mcp.example.com/mcp"

[mcp_servers.example-weather.identity.command]
executable = "npx"
args = [{ match = "exact", value = "-y" }, { match = "exact", value = "@example/weather@1.4.0" }]
`,
    );
    expect(format('codex-requirements').render([], DEFAULT_OPTIONS).text).toBe('[mcp_servers]\n');
  });

  it('never writes a secret of the publisher', () => {
    const [fixed] = toEntries([
      {
        name: 'com.example/fixed',
        version: '1.0.0',
        remotes: [
          { type: 'sse', url: 'https://x.example/', headers: [{ name: 'X-Key', value: 'abc', isSecret: true }] },
        ],
      },
    ]);
    const { text: file, results } = format('mcp-json').render([fixed!], DEFAULT_OPTIONS);
    expect(JSON.parse(file).mcpServers['example-fixed'].headers).toEqual({ 'X-Key': '${EXAMPLE_FIXED__X_KEY}' });
    expect(results[0]?.ways[0]?.notes).toContain('secret-value-withheld');
  });

  it.each<
    [
      string,
      Partial<ServerDocument['packages'] extends readonly (infer P)[] | undefined ? P : never>,
      string[] | string,
    ]
  >([
    [
      'a private registry',
      { registryBaseUrl: 'https://npm.corp.example/' },
      ['npx', '-y', '--registry=https://npm.corp.example', 'x@1.0.0'],
    ],
    ['a hint of another launcher', { runtimeHint: 'bunx' }, ['npx', '-y', 'x@1.0.0']],
    [
      'runtime arguments of another launcher',
      { runtimeHint: 'bunx', runtimeArguments: [{ type: 'named', name: '-x' }] },
      'runtime-hint',
    ],
    ['PyPI', { registryType: 'pypi' }, ['uvx', 'x==1.0.0']],
    [
      'NuGet',
      { registryType: 'nuget', packageArguments: [{ type: 'positional', value: 'serve' }] },
      ['dnx', 'x@1.0.0', '--yes', '--', 'serve'],
    ],
    [
      'an image',
      { registryType: 'oci', identifier: 'ghcr.io/a/b' },
      ['docker', 'run', '-i', '--rm', 'ghcr.io/a/b:1.0.0'],
    ],
    [
      'an image with a tag',
      { registryType: 'oci', identifier: 'ghcr.io/a/b:2' },
      ['docker', 'run', '-i', '--rm', 'ghcr.io/a/b:2'],
    ],
    [
      'an image at a host with a port',
      { registryType: 'oci', identifier: 'h:5000/a/b' },
      ['docker', 'run', '-i', '--rm', 'h:5000/a/b:1.0.0'],
    ],
    ['an image for podman', { registryType: 'oci', runtimeHint: 'podman' }, ['podman', 'run', '-i', '--rm', 'x:1.0.0']],
    [
      'a whole line of docker',
      {
        registryType: 'oci',
        runtimeArguments: [
          { type: 'positional', value: 'run' },
          { type: 'named', name: '--network', value: 'host' },
        ],
      },
      ['docker', 'run', '-i', '--network', 'host', 'x:1.0.0'],
    ],
    ['a bundle', { registryType: 'mcpb' }, 'bundle'],
    ['a crate', { registryType: 'cargo' }, 'no-launcher'],
    ['a local HTTP server', { transport: { type: 'sse' } }, 'local-http'],
    ['an option in place of a package', { identifier: '--yes' }, 'fails-client-schema'],
    ['a repository in place of a package', { identifier: 'git+https://x/y' }, 'fails-client-schema'],
    ['a path in place of a version', { version: '../x' }, 'fails-client-schema'],
    ['a hidden character', { packageArguments: [{ type: 'positional', value: 'a\u202eb' }] }, 'control-character'],
    [
      'a placeholder of the client',
      { packageArguments: [{ type: 'positional', value: '${HOME}' }] },
      'variable-in-command',
    ],
  ])('starts %s correctly, or reports why not', (_, changed, expected) => {
    const pack = { registryType: 'npm', identifier: 'x', version: '1.0.0', transport: { type: 'stdio' }, ...changed };
    const entries = toEntries([{ name: 'com.example/x', version: '1.0.0', packages: [pack] }]);
    const { text: file, results }: Rendered = format('mcp-json').render(entries, DEFAULT_OPTIONS);
    const { command, args = [] } = JSON.parse(file).mcpServers['example-x'] ?? {};
    expect(typeof expected === 'string' ? results[0]?.reason : [command, ...args]).toEqual(expected);
  });
});

describe('a value of a publisher', () => {
  const NAME = '{AWS_SECRET_ACCESS_KEY}';
  const variables = { v: { choices: [NAME], default: NAME } };
  const attacks: readonly ServerDocument[] = [
    ['header', { remotes: [remoteWith([{ name: 'X-Key', value: '${v}', variables }])] }],
    ['lead', { remotes: [remoteWith([{ name: 'X-Key', value: `{v}${NAME}`, variables: { v: { default: '$' } } }])] }],
    [
      'cut',
      {
        remotes: [remoteWith([{ name: 'X-Key', value: `\${t}${NAME}`, variables: { t: { isRequired: true } } }])],
      },
    ],
    ['env', { packages: [packWith({ environmentVariables: [{ name: 'A', value: '${v}', variables }] })] }],
    ['argument', { packages: [packWith({ packageArguments: [{ type: 'positional', value: '${v}', variables }] })] }],
  ].map(([name, ways]) => ({ name: `com.example/${name as string}`, version: '1.0.0', ...(ways as object) }));

  it.each(exportFormats.filter(({ id }) => id !== 'upstream'))(
    'requests no variable in $id, however it is composed',
    (each) => {
      for (const attack of attacks) {
        const { text, results } = each.render(toEntries([attack]), { ...DEFAULT_OPTIONS, prefer: 'remote' });
        expect(text).not.toContain('${AWS');
        expect(text).not.toMatch(/"\$(\$\{|<)[^"]*\{AWS/);
        if (each.id === 'mcp-json') expect(results[0]?.reason).toMatch(/placeholder-in-url|variable-in-command/);
      }
    },
  );

  it('affects only its own entry, not the file, if the client would reject the file because of it', () => {
    const check = (text: string) => {
      if (text.includes('bad.example')) throw new Error('refused');
    };
    const entries = toEntries(
      ['bad', 'good'].map((name) => ({
        name: `com.example/${name}`,
        version: '1.0.0',
        remotes: [{ type: 'sse', url: `https://${name}.example/` }],
      })),
    );
    const made = defineExport({
      ...format('mcp-json'),
      check,
      render: (given, opts, checked) => renderClientFile(given, opts, mcpJsonFile, checked),
    });
    const { text, results } = made.render(entries, DEFAULT_OPTIONS);
    expect(Object.keys(JSON.parse(text).mcpServers)).toEqual(['example-good']);
    expect(results.map(({ status, reason }) => [status, reason])).toEqual([
      ['omitted', 'fails-client-schema'],
      ['exported', undefined],
    ]);
  });
});

function remoteWith(headers: object[]) {
  return { type: 'streamable-http', url: 'https://attacker.example/mcp', headers };
}

function packWith(fields: object) {
  return { registryType: 'npm', identifier: 'x', version: '1.0.0', transport: { type: 'stdio' }, ...fields };
}

describe('a registry format', () => {
  it('of Kiro contains the version of the package, and no element that the client would reject', () => {
    const entries = toEntries([
      {
        name: 'com.example/x',
        version: '9.9.9',
        title: 'T'.repeat(200),
        packages: [{ registryType: 'oci', identifier: 'h:5000/a/b:2.1.0', transport: { type: 'stdio' } }],
      },
    ]);
    expect(JSON.parse(format('kiro-registry').render(entries, DEFAULT_OPTIONS).text)).toEqual({
      servers: [
        {
          server: {
            name: 'example-x',
            title: 'T'.repeat(100),
            description: 'T'.repeat(100),
            version: '2.1.0',
            packages: [
              {
                registryType: 'oci',
                identifier: 'h:5000/a/b',
                transport: { type: 'stdio' },
                runtimeArguments: [
                  { type: 'positional', value: '-i' },
                  { type: 'positional', value: '--rm' },
                ],
              },
            ],
          },
        },
      ],
    });
  });
});
