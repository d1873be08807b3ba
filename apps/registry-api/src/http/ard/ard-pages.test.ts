import { expect, it } from 'vitest';
import { CatalogueView } from '#read-model/catalogue-view.js';
import { layoutOf } from '#read-model/layout.js';
import { Pacer } from '#read-model/pacer.js';
import { SegmentBuilder } from '#read-model/segment-builder.js';
import { Overloaded } from '../../byte-budget.js';
import { AnswerMemory } from '../answer-memory.js';
import { find, readEntries } from './ard-pages.js';

const DOCUMENT_BYTES = 200 * 1024;
const SERVERS = 3;

async function findings() {
  const builder = new SegmentBuilder(1);
  for (let at = 0; at < SERVERS; at++) {
    const server = { name: `com.example/s${at}`, version: '1.0.0', description: 'x'.repeat(DOCUMENT_BYTES) };
    builder.add({
      name: server.name,
      version: server.version,
      document: Buffer.from(JSON.stringify(server)),
      hasForeignMeta: false,
      title: null,
      description: 'long',
      tags: [],
      facets: [],
      isMarkedLatest: false,
      position: 0,
      status: 'active',
      statusMessage: null,
      publishedAtMs: 0,
      updatedAtMs: 0,
      statusChangedAtMs: 0,
      deletedAtMs: null,
    });
  }
  const layout = layoutOf(await builder.finish(new Pacer()));
  return find(new CatalogueView(layout, { tag: 'x', changedAtMs: 0 }), {});
}

it('reserves memory for the documents of a page until all are read, and refuses a page that exceeds it', async () => {
  const page = { from: 0, limit: SERVERS, base: 'https://registry.example.com' };
  const enough = new AnswerMemory((SERVERS + 1) * DOCUMENT_BYTES);
  expect(await readEntries(await findings(), page, enough)).toHaveLength(SERVERS);
  expect(enough.memory.usedBytes).toBe(0);
  const little = new AnswerMemory((SERVERS - 1) * DOCUMENT_BYTES);
  await expect(readEntries(await findings(), page, little)).rejects.toThrow(Overloaded);
  expect(little.memory.usedBytes).toBe(0);
});
