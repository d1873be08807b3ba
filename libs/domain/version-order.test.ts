import { describe, expect, it } from 'vitest';
import { comparePrecedence, compareVersions, newestOf } from './version-order.js';
import type { OrderedVersion } from './version-order.js';

const at = (version: string, given: Partial<OrderedVersion> = {}): OrderedVersion => ({
  version,
  isMarkedLatest: false,
  publishedAtMs: 0,
  position: 0,
  ...given,
});
const newest = (...versions: string[]) => newestOf(versions.map((version) => at(version)))?.version;

describe('which version is the newest', () => {
  it.each([
    [['1.9.0', '1.10.0'], '1.10.0'],
    [['1.0.0-beta.2', '1.0.0-beta.11'], '1.0.0-beta.11'],
    [['1.0.0-rc.1', '1.0.0'], '1.0.0'],
    [['1.9.9', '2.0.0-rc.1'], '2.0.0-rc.1'],
    [['v1.2.3', '1.2.4', 'v1.2.2'], '1.2.4'],
    [['1.2', '1.10', '1'], '1.10'],
    [['2025.01.02', '2025.1.10', '2025.01.09'], '2025.1.10'],
    [['1.0.0+b', '1.0.0+a'], '1.0.0+b'],
    [['10.0.0.1', '9.0.0.1'], '10.0.0.1'],
    [['99999999999999999999.0.0', '1.0.0'], '99999999999999999999.0.0'],
    [['2.0.0', 'Original', 'v1.0'], '2.0.0'],
    [['1.5.0', 'nightly', 'edge'], '1.5.0'],
    [['1.0.0', '1.0.0rc1'], '1.0.0'],
    [['0.0.1a10', '0.0.1a4', '0.0.1'], '0.0.1'],
    [['0.0.1a10', '0.0.1a4'], '0.0.1a10'],
    [['0.0.1a4.post1', '0.0.1a4'], '0.0.1a4.post1'],
    [['alpha', 'beta'], 'beta'],
  ])('of %j is %s, in any order', (versions, expected) => {
    expect(newest(...versions)).toBe(expected);
    expect(newest(...versions.toReversed())).toBe(expected);
  });

  it('of none is none', () => {
    expect(newest()).toBeUndefined();
  });
});

it('orders the forms of semver.org and of PEP 440', () => {
  for (const ascending of [
    [
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-alpha.beta',
      '1.0.0-beta',
      '1.0.0-beta.2',
      '1.0.0-beta.11',
      '1.0.0-rc.1',
      '1.0.0',
    ],
    [
      '1.0.dev1',
      '1.0.dev12',
      '1.0a1.dev1',
      '1.0a1',
      '1.0a1.post1',
      '1.0b2',
      '1.0rc1',
      '1.0c2',
      '1.0',
      '1.0.post0',
      '1.0.post1.dev2',
      '1.0.post1',
      '1.1',
    ],
    ['1.0.0-1', '1.0.0-2', '1.0.0-10', '1.0.0-a'],
    ['nightly', '0.0.1.dev1', '0.0.1'],
  ]) {
    const shuffled = ascending.toReversed();
    expect(shuffled.toSorted(comparePrecedence)).toEqual(ascending);
  }
});

it('ignores build metadata, a leading v and missing parts', () => {
  for (const equal of ['1.0.0+1', '1.0.0+2', 'v1.0.0', '1.0', '1', '01.00'])
    expect(comparePrecedence(equal, '1.0.0')).toBe(0);
});

describe('if precedence does not decide', () => {
  it('the mark of the registry takes precedence', () => {
    expect(newestOf([at('2.0.0', { publishedAtMs: 9 }), at('1.0.0', { isMarkedLatest: true })])?.version).toBe('1.0.0');
    expect(newestOf([at('edge', { isMarkedLatest: true }), at('1.0.0')])?.version).toBe('edge');
  });

  it('the later publication wins, then the later position, then the string', () => {
    expect(newestOf([at('canary', { publishedAtMs: 2 }), at('stable', { publishedAtMs: 1 })])?.version).toBe('canary');
    expect(newestOf([at('canary', { position: 2 }), at('stable', { position: 1 })])?.version).toBe('canary');
    expect(newestOf([at('canary'), at('stable')])?.version).toBe('stable');
    expect(newestOf([at('1.0', { publishedAtMs: 2 }), at('1.0.0', { publishedAtMs: 1 })])?.version).toBe('1.0');
  });
});

describe('the order of versions', () => {
  /** A linear congruential generator, so that each run uses the same versions. */
  function random(seed: number): (below: number) => number {
    let state = seed;
    return (below) => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) % below;
  }
  const pick = random(20_261_130);
  const one = <T>(from: readonly T[]): T => from[pick(from.length)] as T;
  const release = () => Array.from({ length: 1 + pick(4) }, () => one(['0', '1', '2', '9', '10', '01'])).join('.');
  const suffix = () =>
    one([
      '',
      '',
      '-rc.1',
      '-rc.2',
      '-alpha',
      '-1',
      'a1',
      'a10',
      'b2',
      'rc1',
      '.dev1',
      '.post1',
      'a1.dev1',
      '+b',
      '-rc.1+b',
      '-',
      '..',
      'x',
    ]);
  const text = () =>
    one([`${one(['', 'v', 'V'])}${release()}${suffix()}`, one(['nightly', 'edge', '', 'Original', '😀', '\uffff'])]);
  const candidates = Array.from({ length: 120 }, () =>
    at(text(), { isMarkedLatest: pick(8) === 0, publishedAtMs: pick(3), position: pick(3) }),
  );

  it('is antisymmetric, and equal only for equal versions', () => {
    for (const a of candidates) {
      for (const b of candidates) {
        expect(Math.sign(compareVersions(a, b)) + Math.sign(compareVersions(b, a))).toBe(0);
        if (compareVersions(a, b) === 0) expect(a).toEqual(b);
      }
    }
  });

  it('is transitive', () => {
    const broken = candidates.flatMap((a) =>
      candidates.flatMap((b) =>
        candidates.filter((c) => compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0 && compareVersions(a, c) > 0),
      ),
    );
    expect(broken).toEqual([]);
  });

  it('does not depend on the order of the input', () => {
    for (let time = 0; time < 500; time++) {
      const some = Array.from({ length: 1 + pick(8) }, () => one(candidates));
      const expected = newestOf(some.toSorted(compareVersions));
      for (let shuffle = 0; shuffle < 5; shuffle++) {
        expect(newestOf(some.toSorted(() => pick(3) - 1))).toEqual(expected);
      }
    }
  });
});
