import { describe, expect, it } from 'vitest';
import { compareVersions, newestOf } from './version-order.js';

const newest = (...versions: string[]) => newestOf(versions.map((version) => ({ version })))?.version;

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
    [['alpha', 'beta'], 'beta'],
    [['10.0.0.1', '9.0.0.1'], '9.0.0.1'],
    [['99999999999999999999.0.0', '1.0.0'], '99999999999999999999.0.0'],
  ])('of %j is %s', (versions, expected) => {
    expect(newest(...versions)).toBe(expected);
  });

  it('of none is none', () => {
    expect(newest()).toBeUndefined();
  });
});

it('counts build metadata for nothing', () => {
  expect(compareVersions('1.0.0+1', '1.0.0+2')).toBe(0);
});
