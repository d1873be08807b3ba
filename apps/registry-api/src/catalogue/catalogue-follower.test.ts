import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { CatalogueFollower } from './catalogue-follower.js';
import { LiveCatalogue } from './live-catalogue.js';

it('stops while the database has accepted the connection but not responded yet', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'catalogue-follower-'));
  const server = createServer().listen(join(directory, '.s.PGSQL.5432'));
  try {
    const catalogue = new LiveCatalogue();
    const database = { host: directory, user: 'db_app', database: 'registry' };
    const follower = new CatalogueFollower(database, catalogue, { budget: 0 }, pino({ level: 'silent' }));
    follower.start();
    await once(server, 'connection');
    await follower.stop();
    expect(catalogue.snapshots).toBeUndefined();
  } finally {
    server.close();
    await rm(directory, { recursive: true });
  }
});
