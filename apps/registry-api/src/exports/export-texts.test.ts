import { pino } from 'pino';
import { expect, it } from 'vitest';
import type { ExportFormat } from '#exports/export-format.js';
import { findFormat } from '#exports/index.js';
import { AnswerMemory } from '../http/answer-memory.js';
import { API_LIMITS } from '../limits.js';
import { ExportFailed, ExportRefused, ExportTexts } from './export-texts.js';
import type { RenderOutcome } from './render-task.js';

const faults = { count: 0 };

function rendered(exported: readonly string[], bytes = 2): RenderOutcome {
  const text = Buffer.alloc(bytes, '{');
  return { kind: 'rendered', text, results: Buffer.from('[]'), omitted: 0, exported, notes: [], faults };
}

function taskOf(format: ExportFormat, revision: string, outcome: RenderOutcome, place = 'x') {
  return { place, tag: revision, revision, changedAtMs: 0, format, render: () => Promise.resolve(outcome) };
}

const textsOf = () => new ExportTexts(new AnswerMemory(), pino({ enabled: false }));

it.each([
  ['claude-managed-mcp', ['a', 'b', 'c'], 'stale'],
  ['claude-managed-mcp', ['a'], 'failed'],
  ['mcp-json', ['a'], 'stale'],
])('sends the last good text of %s while %j remain: %s', async (id, names, expected) => {
  const format = findFormat(id) as ExportFormat;
  const texts = textsOf();
  await texts.get(taskOf(format, '1', rendered(['a', 'b'])));
  const second = texts.get(taskOf(format, '2', { kind: 'broken', error: new Error('broken'), names, faults }));
  if (expected === 'failed') await expect(second).rejects.toThrow(ExportFailed);
  else expect(await second).toMatchObject({ tag: '1', failure: { revision: '2' } });
});

it('keeps the most recently requested texts, up to a total of bytes', async () => {
  const format = findFormat('mcp-json') as ExportFormat;
  const texts = textsOf();
  const bytes = API_LIMITS.keptExportBytes / 4;
  const renderings: string[] = [];
  const ask = (place: string) =>
    texts.get({
      ...taskOf(format, '1', rendered([], bytes), place),
      render() {
        renderings.push(place);
        return Promise.resolve(rendered([], bytes));
      },
    });
  for (const place of ['a', 'b', 'c', 'a', 'd', 'a', 'b']) await (await ask(place)).answer.body('identity');
  expect(renderings).toEqual(['a', 'b', 'c', 'd', 'b']);
});

it.each<[string, () => Promise<RenderOutcome>, typeof ExportFailed]>([
  ['fails', () => Promise.reject(new Error('too much memory')), ExportFailed],
  ['is refused', () => Promise.resolve({ kind: 'refused', message: 'too large' }), ExportRefused],
])('does not repeat a rendering that %s until the state changes', async (_, render, expected) => {
  const format = findFormat('mcp-json') as ExportFormat;
  const texts = textsOf();
  let renderings = 0;
  const ask = (revision: string, place = 'x') =>
    texts.get({
      ...taskOf(format, revision, rendered([]), place),
      render() {
        renderings++;
        return render();
      },
    });
  for (const revision of ['1', '1', '2', '2']) await expect(ask(revision)).rejects.toThrow(expected);
  expect(renderings).toBe(2);
  await expect(ask('2', 'y')).rejects.toThrow(expected);
  expect(renderings).toBe(3);
  expect(await texts.get(taskOf(format, '3', rendered([])))).toMatchObject({ tag: '3' });
});
