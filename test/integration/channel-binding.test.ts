import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTcpServer } from '#http/testing/http-server.js';
import { newClient, withClient } from '#persistence/database-client.js';
import { DatabasePool, poolConfig } from '#persistence/database-pool.js';
import type { DatabaseAccess } from '#persistence/database-place.js';
import { NegotiatedSocket } from '#persistence/negotiated-socket.js';
import { selfSigned } from '#support/certificates.js';
import type { Certificate } from '#support/certificates.js';
import { startTcpPostgres } from '#support/tcp-postgres.js';
import type { TcpPostgres } from '#support/tcp-postgres.js';

let directory: string;
let ownCertificate: Certificate;
let otherCertificate: Certificate;
let postgres: TcpPostgres;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'channel-binding-'));
  ownCertificate = await selfSigned(directory, 'own', 'DNS:localhost');
  otherCertificate = await selfSigned(directory, 'other', 'DNS:localhost');
  postgres = await startTcpPostgres();
  await postgres.asSuperuser((client) => client.query("CREATE ROLE app LOGIN PASSWORD 'top:secret'"));
});

afterAll(async () => {
  await postgres?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const accessAt = (port: number, more: Partial<DatabaseAccess> = {}): DatabaseAccess => ({
  host: 'localhost',
  port,
  user: 'app',
  password: 'top:secret',
  database: 'postgres',
  sslMode: 'require',
  ...more,
});

const bound = (port: number, more: Partial<DatabaseAccess> = {}): DatabaseAccess => ({
  ...accessAt(port, more),
  channelBinding: 'require',
});

describe('channel_binding=require', () => {
  const methodIs = (method: string, tls: Certificate | undefined = ownCertificate) =>
    postgres.setUp({ tls, hba: [`host all all 127.0.0.1/32 ${method}`] });
  const runQueryAt = (access: DatabaseAccess) =>
    withClient(access, async (client) => (await client.query('SELECT 1 AS one')).rows);
  const runQuery = (more?: Partial<DatabaseAccess>) => runQueryAt(bound(postgres.port, more));

  it('is met by a Postgres with TLS and scram-sha-256', async () => {
    await methodIs('scram-sha-256');
    expect(await runQuery()).toEqual([{ one: 1 }]);
    const access = bound(postgres.port);
    const pool = new DatabasePool(access, poolConfig(access, 1));
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await pool.end();
    await expect(runQuery({ password: 'wrong' })).rejects.toMatchObject({ reason: 'DatabaseAuthFailed' });
  });

  it.each(['trust', 'password', 'md5'])('is not met by a Postgres with the method %s', async (method) => {
    await postgres.asSuperuser((client) =>
      client.query(`SET password_encryption = md5; ALTER ROLE app PASSWORD 'top:secret'`),
    );
    try {
      await methodIs(method);
      const verified = accessAt(postgres.port, { sslMode: 'verify-ca', caFile: ownCertificate.cert });
      expect(await runQueryAt(verified)).toEqual([{ one: 1 }]);
      await expect(runQuery()).rejects.toMatchObject({
        reason: 'DatabaseAuthFailed',
        message: expect.stringContaining('channel_binding=require'),
      });
    } finally {
      await postgres.asSuperuser((client) => client.query(`ALTER ROLE app PASSWORD 'top:secret'`));
    }
  });

  it('is not met by a Postgres without TLS', async () => {
    await postgres.setUp({ hba: ['host all all 127.0.0.1/32 scram-sha-256'] });
    await expect(runQuery({ sslMode: 'prefer' })).rejects.toThrow(/does not offer channel binding/);
  });

  it('is not met by a proxy that ends TLS and relays what the real server says', async () => {
    await methodIs('scram-sha-256');
    await using proxy = await startRogue(async (near) => {
      const far = new NegotiatedSocket({ sslMode: 'require' }).connect(postgres.port, 'localhost');
      far.on('error', () => near.destroy()).on('close', () => near.destroy());
      far.once('connect', () => near.pipe(far).pipe(near));
    });
    expect(await runQueryAt(accessAt(proxy.port))).toEqual([{ one: 1 }]);
    await expect(runQueryAt(bound(proxy.port))).rejects.toMatchObject({
      reason: 'DatabaseAuthFailed',
    });
  });
});

describe('a rogue server that does not know the password', () => {
  const message = (type: string, body: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length + 4);
    return Buffer.concat([Buffer.from(type), length, body]);
  };
  const authentication = (code: number, text = '') =>
    message('R', Buffer.concat([Buffer.from([0, 0, 0, code]), Buffer.from(text, 'latin1')]));
  const ok = authentication(0);
  const offer = (...mechanisms: string[]) => authentication(10, `${mechanisms.join('\0')}\0\0`);
  const offerOfPlus = offer('SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256');
  const ready = message('Z', Buffer.from('I'));
  const letIn = Buffer.concat([ok, ready]);
  const forgery = authentication(12, `v=${Buffer.alloc(32).toString('base64')}`);
  const challenge = (said: Buffer) =>
    authentication(11, `r=${/r=([^,\0]+)/.exec(said.toString('latin1'))?.[1]}rogue,s=c2FsdHNhbHQ=,i=4096`);

  type Answer = Buffer | ((said: Buffer) => Buffer);
  const tricks: Readonly<Record<string, readonly Answer[]>> = {
    'lets in at once': [letIn],
    'offers the mechanism and lets in at once': [Buffer.concat([offerOfPlus, letIn])],
    'offers the mechanism and lets in after the first message': [offerOfPlus, letIn],
    'lets in after the proof of the client': [offerOfPlus, challenge, letIn],
    'lets in with its challenge': [offerOfPlus, (said) => Buffer.concat([challenge(said), letIn])],
    'lets in with a forged signature': [offerOfPlus, challenge, Buffer.concat([forgery, letIn])],
    'lets in with a signature before its challenge': [offerOfPlus, Buffer.concat([forgery, letIn])],
    'lets in with a signature for nothing': [Buffer.concat([forgery, letIn])],
    'offers a lesser mechanism afterwards': [Buffer.concat([offerOfPlus, offer('SCRAM-SHA-256')]), challenge, letIn],
    'asks for clear text after the offer': [Buffer.concat([offerOfPlus, authentication(3)]), letIn],
    'asks for MD5 after the offer': [Buffer.concat([offerOfPlus, authentication(5, 'salt')]), letIn],
  };

  it.each(Object.entries(tricks))('is refused when it %s', async (_, answers) => {
    const closed: Promise<void>[] = [];
    const said: Buffer[] = [];
    await using rogue = await startRogue(async (secure) => {
      closed.push(new Promise((resolve) => void secure.on('close', () => resolve())));
      const left = [...answers];
      secure.on('data', (chunk: Buffer) => {
        said.push(chunk);
        const answer = left.shift();
        if (answer) secure.write(typeof answer === 'function' ? answer(chunk) : answer);
      });
    });
    const client = newClient(bound(rogue.port), { isBare: true });
    await expect(client.connect()).rejects.toMatchObject({ reason: 'DatabaseAuthFailed' });
    await client.end();
    await Promise.all(closed);
    expect(Buffer.concat(said).toString('latin1')).not.toContain('top:secret');
  });
});

/** Starts a server that, like Postgres, accepts TLS, but with a certificate that is not the database's. */
async function startRogue(talk: (secure: TLSSocket) => Promise<void>) {
  const [cert, key] = await Promise.all([readFile(otherCertificate.cert), readFile(otherCertificate.key)]);
  return startTcpServer((socket: Socket) => {
    socket.once('data', () => {
      const secure = new TLSSocket(socket, { isServer: true, cert, key });
      secure.on('error', () => undefined);
      void talk(secure);
      socket.write('S');
    });
  });
}
