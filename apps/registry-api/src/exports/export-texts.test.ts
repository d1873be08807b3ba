import { pino } from 'pino';
import { expect, it } from 'vitest';
import type { EntryResult, ExportFormat } from '#exports/export-format.js';
import { findFormat } from '#exports/index.js';
import { ExportFailed, ExportTexts } from './export-texts.js';

const exported = (name: string): EntryResult => ({ name, version: '1.0.0', status: 'exported', ways: [] });

function taskOf(format: ExportFormat, revision: string, names: readonly string[], text: string) {
  const results = names.map(exported);
  const render = () => Promise.resolve({ text, results, notes: [], faults: [] });
  return { place: 'x', tag: revision, revision, changedAtMs: 0, format, render };
}

it.each([
  ['claude-managed-mcp', ['a', 'b', 'c'], 'stale'],
  ['claude-managed-mcp', ['a'], 'failed'],
  ['mcp-json', ['a'], 'stale'],
])('sends the last good text of %s while %j remain: %s', async (id, names, expected) => {
  const format = findFormat(id) as ExportFormat;
  const texts = new ExportTexts(pino({ enabled: false }));
  await texts.get(taskOf(format, '1', ['a', 'b'], '{"mcpServers":{}}'));
  const second = texts.get(taskOf(format, '2', names, 'broken'));
  if (expected === 'failed') await expect(second).rejects.toThrow(ExportFailed);
  else expect(await second).toMatchObject({ tag: '1', failure: { revision: '2' } });
});
