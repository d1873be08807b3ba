import { describe, expect, it } from 'vitest';
import { explainName } from './explain.js';
import type { ExplainedEntry } from './explain.js';

const entry = (source: string, rest: Partial<ExplainedEntry> = {}): ExplainedEntry => ({
  source,
  version: '1.0.0',
  hash: 'ab',
  hiddenBy: null,
  deletedAt: null,
  isMarkedLatest: false,
  publishedAtMs: 0,
  position: 0,
  ...rest,
});

describe('an explanation', () => {
  it('lets the first source that may serve a name win', () => {
    const { served, sources } = explainName(
      ['hides', 'wins', 'loses', 'lacks'],
      [entry('hides', { hiddenBy: 'rule' }), entry('wins'), entry('loses')],
      [],
    );
    expect(served).toEqual({ source: 'wins', latest: '1.0.0', versions: 1 });
    expect(sources.map(({ source, verdict, by }) => [source, verdict, by])).toEqual([
      ['hides', 'hidden', 'rule'],
      ['wins', 'served', undefined],
      ['loses', 'shadowed', 'wins'],
      ['lacks', 'absent', undefined],
    ]);
  });

  it('uses the most important verdict of a source that has a name in several ways', () => {
    const { sources } = explainName(
      ['a', 'b'],
      [entry('a', { deletedAt: new Date(0) }), entry('b', { version: '2' }), entry('b', { hiddenBy: 'rule' })],
      [{ source: 'a', version: null, path: '', message: 'is no object' }],
    );
    expect(sources).toEqual([
      {
        source: 'a',
        verdict: 'quarantined',
        versions: [
          { version: '1.0.0', verdict: 'deleted', until: new Date(0), hash: 'ab' },
          { version: '', verdict: 'quarantined', message: 'is no object' },
        ],
      },
      {
        source: 'b',
        verdict: 'served',
        versions: [
          { version: '2', verdict: 'served', hash: 'ab' },
          { version: '1.0.0', verdict: 'hidden', by: 'rule', hash: 'ab' },
        ],
      },
    ]);
  });
});
