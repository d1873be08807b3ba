import { describe, expect, it } from 'vitest';
import { editionOf, serversOf } from './catalogue.js';
import { readOptions } from './options.js';
import { Random } from './random.js';
import { Samples } from './samples.js';

describe('the choices of a run', () => {
  const choices = (seed: number) => {
    const random = new Random(seed);
    return [random.between(5, 9), random.pick(['a', 'b', 'c']), random.shuffle([1, 2, 3, 4, 5])];
  };

  it('depend only on its seed', () => {
    expect(choices(7)).toEqual(choices(7));
    expect(choices(7)).not.toEqual(choices(8));
  });

  it('are within their bounds and complete', () => {
    const random = new Random(1);
    for (let index = 0; index < 1_000; index++) {
      const value = random.between(2, 3);
      expect(value >= 2 && value < 3).toBe(true);
    }
    expect(random.shuffle([3, 1, 2]).sort()).toEqual([1, 2, 3]);
  });
});

describe('a list', () => {
  const whole = serversOf('a', 3);

  it.each([
    ['is one whole edition', whole, 3],
    ['is empty', [], undefined],
    ['lacks a server', whole.slice(1), undefined],
    ['has a server twice', [...whole, whole[0]!], undefined],
    ['is of two editions', [...serversOf('a', 2).slice(0, 5), ...whole.slice(5)], undefined],
    ['belongs to another source', serversOf('b', 3), undefined],
  ])('that %s is recognised', (_, listed, edition) => expect(editionOf('a', listed)).toBe(edition));
});

describe('options', () => {
  it('have defaults', () => {
    expect(readOptions([])).toMatchObject({ minutes: 60, registries: 200, servers: 12, settleSeconds: 300 });
  });

  it.each(['--minutes=x', '--servers=1', '--seed=-1', '--unknown'])('refuse %s', (arg) => {
    expect(() => readOptions([arg])).toThrow(arg.split('=', 1)[0]);
  });
});

describe('samples', () => {
  const judge = async (rss: (index: number) => number, { count = 400, isOurs = true } = {}) => {
    let index = 0;
    const done = Promise.withResolvers<void>();
    await using samples = new Samples(
      async () => {
        if (index === count) done.resolve();
        return [{ name: 'server', pid: index++ < count ? process.pid : undefined, isOurs }];
      },
      0,
      async () => ({ rssMiB: rss(index), threads: 10, descriptors: 20 }),
    );
    await done.promise;
    return samples.rising();
  };

  it('distinguish a leak from a heap that grows to its size and then oscillates', async () => {
    expect(await judge((index) => 100 + index)).toEqual(['server: rssMiB rose']);
    expect(await judge((index) => Math.min(100 + index, 160) + (index % 30))).toEqual([]);
  });

  it('do not judge a process that did not live long', async () => {
    expect(await judge((index) => 100 + 10 * index, { count: 50 })).toEqual([]);
  });

  it('do not judge foreign processes', async () => {
    expect(await judge((index) => 100 + index, { isOurs: false })).toEqual([]);
  });
});
