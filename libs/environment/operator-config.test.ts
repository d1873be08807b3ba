import { describe, expect, it } from 'vitest';
import { parseOperatorConfig } from './operator-config.js';

const needed = { TOOLHIVE_REGISTRY_API_IMAGE: 'example/registry:1', TEMPORAL_ADDRESS: 'temporal:7233' };

function parse(variables: Record<string, string>) {
  const parsed = parseOperatorConfig([], { ...needed, ...variables });
  if (!('config' in parsed)) throw new Error(JSON.stringify(parsed));
  return parsed.config;
}

describe('the environment of the operator', () => {
  it('contains the namespaces to watch, in any notation', () => {
    expect(parse({ WATCH_NAMESPACE: ' a, b ,,c ' }).namespaces).toEqual(['a', 'b', 'c']);
    expect(parse({ WATCH_NAMESPACE: '' }).namespaces).toEqual([]);
    expect(parse({ WATCH_NAMESPACE: ' , ' }).namespaces).toEqual([]);
  });

  it('passes the settings for sources to servers, if they are set', () => {
    const { serverEnvironment } = parse({
      SOURCE_URL_REWRITES: 'https://a=http://b',
      TEMPORAL_UI_URL: 'https://temporal.example.com',
      LOG_LEVEL: 'debug',
    });
    expect(serverEnvironment).toEqual({
      SOURCE_URL_REWRITES: 'https://a=http://b',
      TEMPORAL_UI_URL: 'https://temporal.example.com',
    });
  });

  it.each(['https://bot:hunter2@mirror', 'https://hunter2@mirror', 'https://bot:hun/ter2@mirror'])(
    'passes no credentials to Deployments: %s',
    (to) => {
      const parsed = parseOperatorConfig([], { ...needed, SOURCE_URL_REWRITES: `https://a=${to}` });
      expect(parsed).toEqual({
        faults: [expect.stringMatching(/^SOURCE_URL_REWRITES: .*must (not contain a user name|be FROM=TO)/)],
      });
      expect(JSON.stringify(parsed)).not.toMatch(/hun\/?ter2/);
    },
  );

  it('accepts the default database as JSON, with defaults', () => {
    const { defaultDatabase } = parse({ DEFAULT_DATABASE: '{"host":"db","sslMode":"verify-full"}' }).servers;
    expect(defaultDatabase).toMatchObject({
      host: 'db',
      port: 5432,
      adminUser: 'mcp_registry_operator',
      sslMode: 'verify-full',
    });
    expect(parse({}).servers.defaultDatabase).toBeUndefined();
    const faults = (text: string) => parseOperatorConfig([], { ...needed, DEFAULT_DATABASE: text });
    expect(faults('db')).toEqual({ faults: ['DEFAULT_DATABASE: "db" must be JSON'] });
    expect(faults('{"port":0}')).toMatchObject({ faults: [expect.stringContaining('DEFAULT_DATABASE.port')] });
  });

  describe('the Temporal groups', () => {
    const group = (name: string, label = name) => ({ name, namespaceSelector: { matchLabels: { team: label } } });
    const parseGroups = (...groups: readonly object[]) =>
      parseOperatorConfig([], { ...needed, TEMPORAL_GROUPS: JSON.stringify(groups) });

    it('are none by default, and are read with their selectors', () => {
      expect(parse({}).temporal.groups).toEqual([]);
      expect(parseGroups(group('a'), group('b'))).toMatchObject({
        config: { temporal: { groups: [group('a'), group('b')], groupsDirectory: '/temporal-groups' } },
      });
    });

    it.each<[string, readonly object[]]>([
      ['groups a and b have the same namespaceSelector', [group('a', 'x'), group('b', 'x')]],
      ['two groups called a', [group('a', 'x'), group('a', 'y')]],
      ['at most 16 groups', Array.from({ length: 17 }, (_, index) => group(`g${index}`))],
      ['TEMPORAL_GROUPS[0].selector: is not a field here', [{ ...group('a'), selector: {} }]],
      ['an empty selector selects everything', [{ name: 'a', namespaceSelector: {} }]],
      ['must be at most 30 lower-case letters', [group('../a', 'a')]],
    ])('are refused: %s', (fault, groups) => {
      expect(parseGroups(...groups)).toEqual({ faults: [expect.stringContaining(fault)] });
    });

    it('may be as many as the limit allows', () => {
      expect(parseGroups(...Array.from({ length: 16 }, (_, index) => group(`g${index}`)))).toHaveProperty('config');
    });
  });

  it('lets registries list the MCP servers of their namespace, unless the site disables that', () => {
    expect(parse({}).servers.discovery).toBe(true);
    expect(parse({ DISCOVER_SERVERS: 'false' }).servers.discovery).toBe(false);
  });

  it('lists the variables for --help, whatever else is given', () => {
    expect(parseOperatorConfig(['--namespace', '--help'], {})).toEqual({ help: true });
    expect(parseOperatorConfig(['-h'], {})).toEqual({ help: true });
  });

  it('reports every error at once', () => {
    const parsed = parseOperatorConfig(['--namespace'], {
      METRICS_PORT: 'x',
      TEMPORAL_ADDRESS: 'http://temporal',
      MIN_SYNC_INTERVAL: 'soon',
    });
    expect('faults' in parsed && parsed.faults.map((fault) => fault.split(' ')[0]!.replace(':', '')).sort()).toEqual([
      '--namespace',
      'METRICS_PORT',
      'MIN_SYNC_INTERVAL',
      'TEMPORAL_ADDRESS',
      'TOOLHIVE_REGISTRY_API_IMAGE',
    ]);
  });
});
