import { execFile, spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RegistryError } from '#domain/registry-error.js';
import { SSL_MODES } from '#domain/ssl-mode.js';
import type { SslMode } from '#domain/ssl-mode.js';
import { withClient } from '#persistence/database-client.js';
import { selfSigned, signed } from '#support/certificates.js';
import type { Certificate } from '#support/certificates.js';
import { startTcpPostgres } from '#support/tcp-postgres.js';
import type { ServerSetup, TcpPostgres } from '#support/tcp-postgres.js';

type Outcome = 'tls' | 'plain' | 'refused';
type CaName = 'none' | 'right' | 'wrong';
/** Outcomes in the order of SSL_MODES: disable, allow, prefer, require, verify-ca, verify-full. */
type Outcomes = readonly [Outcome, Outcome, Outcome, Outcome, Outcome, Outcome];

interface Case {
  readonly server: string;
  readonly ca: CaName;
  readonly outcomes: Outcomes;
  /** Modes in which libpq is less strict. The difference is intended: see `libs/persistence/negotiated-socket.ts`. */
  readonly otherThanLibpq?: readonly SslMode[];
}

const EITHER = ['host all all 127.0.0.1/32 scram-sha-256'];
const ENCRYPTED = ['hostssl all all 127.0.0.1/32 scram-sha-256'];
const UNENCRYPTED = ['hostnossl all all 127.0.0.1/32 scram-sha-256'];

const cases: readonly Case[] = [
  { server: 'without TLS', ca: 'none', outcomes: ['plain', 'plain', 'plain', 'refused', 'refused', 'refused'] },
  { server: 'without TLS', ca: 'right', outcomes: ['plain', 'plain', 'plain', 'refused', 'refused', 'refused'] },
  { server: 'for this host', ca: 'none', outcomes: ['plain', 'plain', 'tls', 'tls', 'refused', 'refused'] },
  { server: 'for this host', ca: 'right', outcomes: ['plain', 'plain', 'tls', 'tls', 'tls', 'tls'] },
  {
    server: 'for this host',
    ca: 'wrong',
    outcomes: ['plain', 'plain', 'tls', 'refused', 'refused', 'refused'],
    otherThanLibpq: ['prefer'],
  },
  { server: 'for another host', ca: 'none', outcomes: ['plain', 'plain', 'tls', 'tls', 'refused', 'refused'] },
  { server: 'for another host', ca: 'right', outcomes: ['plain', 'plain', 'tls', 'tls', 'tls', 'refused'] },
  { server: 'self-signed', ca: 'none', outcomes: ['plain', 'plain', 'tls', 'tls', 'refused', 'refused'] },
  {
    server: 'self-signed',
    ca: 'right',
    outcomes: ['plain', 'plain', 'tls', 'refused', 'refused', 'refused'],
    otherThanLibpq: ['prefer'],
  },
  { server: 'demanding TLS', ca: 'none', outcomes: ['refused', 'tls', 'tls', 'tls', 'refused', 'refused'] },
  { server: 'demanding TLS', ca: 'right', outcomes: ['refused', 'tls', 'tls', 'tls', 'tls', 'tls'] },
  { server: 'refusing TLS', ca: 'none', outcomes: ['plain', 'plain', 'plain', 'refused', 'refused', 'refused'] },
  { server: 'refusing TLS', ca: 'right', outcomes: ['plain', 'plain', 'plain', 'refused', 'refused', 'refused'] },
];

let directory: string;
let postgres: TcpPostgres;
let servers: Record<string, ServerSetup>;
let authorities: Record<'right' | 'wrong', Certificate>;
let passwordFile: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ssl-modes-'));
  authorities = { right: await selfSigned(directory, 'right-ca'), wrong: await selfSigned(directory, 'wrong-ca') };
  const ca = authorities.right;
  const forThisHost = await signed(directory, 'this', { ca, altName: 'DNS:localhost' });
  servers = {
    'without TLS': { hba: EITHER },
    'for this host': { tls: forThisHost, hba: EITHER },
    'for another host': { tls: await signed(directory, 'other', { ca, altName: 'DNS:db.example.com' }), hba: EITHER },
    'self-signed': { tls: await selfSigned(directory, 'localhost', 'DNS:localhost'), hba: EITHER },
    'demanding TLS': { tls: forThisHost, hba: ENCRYPTED },
    'refusing TLS': { tls: forThisHost, hba: UNENCRYPTED },
  };
  postgres = await startTcpPostgres();
  await postgres.asSuperuser((client) => client.query("CREATE ROLE somebody LOGIN PASSWORD 'top:secret'"));
  passwordFile = join(directory, 'pgpass');
  await writeFile(passwordFile, 'localhost:*:postgres:somebody:top\\:secret\n');
  await chmod(passwordFile, 0o600);
});

afterAll(async () => {
  await postgres?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const IS_ENCRYPTED = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()';

const accessWith = (sslMode: SslMode, ca: CaName) => ({
  host: 'localhost',
  port: postgres.port,
  user: 'somebody',
  database: 'postgres',
  passwordFile,
  sslMode,
  ...(ca === 'none' ? {} : { caFile: authorities[ca].cert }),
});

async function ourOutcome(sslMode: SslMode, ca: CaName): Promise<Outcome> {
  try {
    return await withClient(accessWith(sslMode, ca), async (client) => {
      const { rows } = await client.query<{ ssl: boolean }>(IS_ENCRYPTED);
      return rows[0]?.ssl ? 'tls' : 'plain';
    });
  } catch (error) {
    expect((error as RegistryError).reason).toMatch(/^Database(TLS|Auth)Failed$/);
    expect((error as Error).message).not.toContain('secret');
    return 'refused';
  }
}

async function outcomeOfPsql(sslMode: SslMode, ca: CaName): Promise<Outcome> {
  const address = `host=localhost port=${postgres.port} user=somebody dbname=postgres sslmode=${sslMode}`;
  const { stdout } = await promisify(execFile)('psql', [address, '-w', '-Atc', IS_ENCRYPTED], {
    env: {
      PATH: process.env['PATH'],
      HOME: directory,
      PGPASSFILE: passwordFile,
      ...(ca === 'none' ? {} : { PGSSLROOTCERT: authorities[ca].cert }),
    },
  }).catch(() => ({ stdout: '' }));
  return stdout === '' ? 'refused' : stdout.trim() === 't' ? 'tls' : 'plain';
}

const hasPsql = spawnSync('psql', ['--version']).status === 0;

describe.each(cases)('a server $server, and $ca CA', ({ server, ca, outcomes, otherThanLibpq = [] }) => {
  beforeAll(() => postgres.setUp(servers[server] as ServerSetup));

  it('is reachable or not, according to each sslMode', async () => {
    expect(await Promise.all(SSL_MODES.map((mode) => ourOutcome(mode, ca)))).toEqual(outcomes);
  });

  it.skipIf(!hasPsql)('is reachable as with psql (needs psql)', async () => {
    const modes = SSL_MODES.filter((mode) => !otherThanLibpq.includes(mode));
    const theirs = await Promise.all(modes.map((mode) => outcomeOfPsql(mode, ca)));
    expect(theirs).toEqual(modes.map((mode) => outcomes[SSL_MODES.indexOf(mode)]));
  });
});

describe('a server that requests the password in clear text', () => {
  const asking = ['host all all 127.0.0.1/32 password'];

  it.each<[SslMode, CaName]>([
    ['disable', 'none'],
    ['prefer', 'right'],
    ['require', 'none'],
  ])('does not get it with sslMode %s and the CA %s, which do not verify the server', async (sslMode, ca) => {
    await postgres.setUp({ tls: servers['for this host']?.tls, hba: asking });
    await expect(withClient(accessWith(sslMode, ca), async () => undefined)).rejects.toMatchObject({
      reason: 'DatabaseAuthFailed',
      message: expect.stringContaining('asks for the password in clear text'),
    });
  });

  it.each<SslMode>(['require', 'verify-ca', 'verify-full'])('gets it when %s has verified it', async (sslMode) => {
    await postgres.setUp({ tls: servers['for this host']?.tls, hba: asking });
    expect(await ourOutcome(sslMode, 'right')).toBe('tls');
  });
});

describe('a refusal', () => {
  const failure = (sslMode: SslMode, ca: CaName) =>
    withClient(accessWith(sslMode, ca), async () => undefined).then(
      () => undefined,
      ({ reason, message }: RegistryError) => ({ reason, message }),
    );

  it('of TLS reports what is missing, where, and the remedy', async () => {
    await postgres.setUp(servers['without TLS'] as ServerSetup);
    expect(await failure('require', 'none')).toEqual({
      reason: 'DatabaseTLSFailed',
      message:
        `cannot connect to database postgres at localhost:${postgres.port} as somebody with sslMode require: ` +
        'the server does not offer TLS; turn TLS on in that server, or choose another sslMode than require',
    });
    await postgres.setUp(servers['for another host'] as ServerSetup);
    expect((await failure('verify-full', 'right'))?.message).toContain('db.example.com');
    expect((await failure('verify-full', 'none'))?.reason).toBe('DatabaseTLSFailed');
  });

  it('of the server is reported with its message', async () => {
    await postgres.setUp(servers['demanding TLS'] as ServerSetup);
    expect(await failure('disable', 'none')).toMatchObject({
      reason: 'DatabaseAuthFailed',
      message: expect.stringMatching(/no pg_hba\.conf entry .* no encryption; allow this user in pg_hba\.conf/),
    });
  });

  it('of the password contains the role, and a changed password is read from the file', async () => {
    await postgres.setUp(servers['for this host'] as ServerSetup);
    await postgres.asSuperuser((client) => client.query("ALTER ROLE somebody PASSWORD 'rotated'"));
    try {
      expect(await failure('prefer', 'none')).toMatchObject({
        reason: 'DatabaseAuthFailed',
        message: expect.stringContaining('check that role somebody exists, may log in, and has this password'),
      });
      await writeFile(passwordFile, 'localhost:*:postgres:somebody:rotated\n');
      expect(await failure('prefer', 'none')).toBeUndefined();
      await writeFile(passwordFile, 'elsewhere:*:postgres:somebody:rotated\n');
      expect(await failure('prefer', 'none')).toMatchObject({
        reason: 'DatabaseAuthFailed',
        message: expect.stringContaining(`has no password for localhost:${postgres.port}:postgres:somebody`),
      });
    } finally {
      await postgres.asSuperuser((client) => client.query("ALTER ROLE somebody PASSWORD 'top:secret'"));
      await writeFile(passwordFile, 'localhost:*:postgres:somebody:top\\:secret\n');
    }
  });

  it('of a missing CA file contains the file', async () => {
    const access = { ...accessWith('verify-full', 'none'), caFile: join(directory, 'gone.crt') };
    await expect(withClient(access, async () => undefined)).rejects.toMatchObject({
      reason: 'DatabaseTLSFailed',
      message: expect.stringContaining('gone.crt'),
    });
  });
});
