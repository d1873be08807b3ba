import { describe, expect, it } from 'vitest';
import { parseEnvironment } from './environment.js';

describe('the environment of a standalone process', () => {
  it('may be empty', () => {
    expect(parseEnvironment({})).toEqual({
      environment: {
        host: '127.0.0.1',
        allowedHosts: [],
        port: 8080,
        internalPort: 8081,
        dataDirectory: '.data',
        databaseUrl: undefined,
        temporalAddress: undefined,
        temporalNamespace: 'default',
        temporalPort: 7233,
        temporalUiPort: 8233,
        urlRewrites: [],
        allowLocalGit: false,
        allowPrivateSources: true,
        minSyncIntervalMs: 10_000,
        logLevel: 'info',
      },
    });
  });

  it('counts an empty variable as unset', () => {
    const names = ['PORT', 'DATA_DIR', 'DATABASE_URL', 'ALLOW_LOCAL_GIT', 'MIN_SYNC_INTERVAL', 'SOURCE_URL_REWRITES'];
    expect(parseEnvironment(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(parseEnvironment({}));
  });

  it('is read from text', () => {
    const parsed = parseEnvironment({
      HOST: '127.0.0.2',
      ALLOWED_HOSTS: 'registry.example.com, mcp.example.com',
      PORT: '9000',
      INTERNAL_PORT: '9001',
      DATA_DIR: '/srv/data',
      DATABASE_URL: 'postgresql://app:s%40crt@db.example.com:5433/registry?sslmode=require',
      TEMPORAL_ADDRESS: 'temporal.example.com:7233',
      TEMPORAL_NAMESPACE: 'tools',
      TEMPORAL_PORT: '7000',
      TEMPORAL_UI_PORT: '7001',
      SOURCE_URL_REWRITES: 'https://github.com/=file:///mirror/, https://a.example=https://b.example/?x=1,',
      ALLOW_LOCAL_GIT: '1',
      MIN_SYNC_INTERVAL: '500ms',
      LOG_LEVEL: 'debug',
      UNRELATED: 'x',
    });
    expect(parsed).toEqual({
      environment: {
        host: '127.0.0.2',
        allowedHosts: ['registry.example.com', 'mcp.example.com'],
        port: 9000,
        internalPort: 9001,
        dataDirectory: '/srv/data',
        databaseUrl: 'postgresql://app:s%40crt@db.example.com:5433/registry?sslmode=require',
        temporalAddress: 'temporal.example.com:7233',
        temporalNamespace: 'tools',
        temporalPort: 7000,
        temporalUiPort: 7001,
        urlRewrites: [
          { from: 'https://github.com/', to: 'file:///mirror/' },
          { from: 'https://a.example', to: 'https://b.example/?x=1' },
        ],
        allowLocalGit: true,
        allowPrivateSources: true,
        minSyncIntervalMs: 500,
        logLevel: 'debug',
      },
    });
  });

  it('is rejected with all errors at once', () => {
    const parsed = parseEnvironment({
      PORT: 'http',
      INTERNAL_PORT: '70000',
      TEMPORAL_ADDRESS: 'http://temporal:7233',
      SOURCE_URL_REWRITES: 'https://a.example',
      ALLOW_LOCAL_GIT: 'yes',
      MIN_SYNC_INTERVAL: '10',
      LOG_LEVEL: 'loud',
    });
    expect(parsed).toEqual({
      faults: [
        'PORT: "http" must be a port number, such as 8080',
        'INTERNAL_PORT: "70000" must be at most 65535',
        'TEMPORAL_ADDRESS: "http://temporal:7233" must be HOST:PORT without a scheme, such as localhost:7233',
        expect.stringMatching(/^SOURCE_URL_REWRITES: "https:\/\/a.example" must be FROM=TO pairs/),
        'ALLOW_LOCAL_GIT: "yes" must be one of 0, 1, true, false',
        'MIN_SYNC_INTERVAL: "10" must be a Go duration: a number and a unit, such as 90s, 30m or 1h30m',
        expect.stringMatching(/^LOG_LEVEL: "loud" must be one of fatal, error/),
      ],
    });
  });

  it('keeps the two listeners on different ports', () => {
    expect(parseEnvironment({ PORT: '9000', INTERNAL_PORT: '9000' })).toEqual({
      faults: [expect.stringContaining('INTERNAL_PORT')],
    });
  });

  it.each(['mysql://app:hunter2@db/registry', 'app:hunter2@db'])(
    'rejects a database URL without showing it: %#',
    (DATABASE_URL) => {
      const parsed = parseEnvironment({ DATABASE_URL });
      expect(parsed).toEqual({ faults: [expect.stringMatching(/^DATABASE_URL: must be a URL such as postgresql:/)] });
      expect(JSON.stringify(parsed)).not.toContain('hunter2');
    },
  );
});
