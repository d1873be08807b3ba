import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createProgress } from './progress.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function recorded(stream: PassThrough): () => string {
  stream.setEncoding('utf8');
  return () => (stream.read() as string | null) ?? '';
}

describe('progress in a log', () => {
  it('is never silent for 5 s during a step', () => {
    const stream = new PassThrough();
    const written = recorded(stream);
    createProgress(stream).step('building');
    expect(written()).toBe('[0s] building\n');
    for (let round = 0; round < 20; round++) {
      vi.advanceTimersByTime(5_000);
      expect(written()).toContain('building\n');
    }
  });

  it('writes few lines for many steps, and always the last one', () => {
    const stream = new PassThrough();
    const written = recorded(stream);
    const progress = createProgress(stream);
    for (let count = 1; count <= 100; count++) {
      progress.step(`package ${count}`);
      vi.advanceTimersByTime(100);
    }
    progress.done();
    const lines = written().trim().split('\n');
    expect(lines.length).toBeLessThan(6);
    expect(lines.at(-1)).toMatch(/package 100$/);
  });

  it('reports a new step immediately', () => {
    const stream = new PassThrough();
    const written = recorded(stream);
    const progress = createProgress(stream);
    progress.step('downloading');
    progress.step('no network');
    progress.step('building');
    expect(written()).toBe('[0s] downloading\n[0s] no network\n[0s] building\n');
  });

  it('reports the elapsed time, in minutes if it is long', () => {
    const stream = new PassThrough();
    const written = recorded(stream);
    createProgress(stream).step('building');
    vi.advanceTimersByTime(124_000);
    expect(written()).toContain('[2m04s] building');
  });

  it('is silent when done', () => {
    const stream = new PassThrough();
    const written = recorded(stream);
    const progress = createProgress(stream);
    progress.step('building');
    progress.done();
    written();
    vi.advanceTimersByTime(60_000);
    expect(written()).toBe('');
  });
});

describe('progress on a terminal', () => {
  function terminal(columns: number) {
    return Object.assign(new PassThrough(), { isTTY: true, columns }) as unknown as PassThrough & NodeJS.WriteStream;
  }

  it('uses one line and clears it when done', () => {
    const stream = terminal(80);
    const written = recorded(stream);
    const progress = createProgress(stream);
    progress.step('building');
    const first = written();
    vi.advanceTimersByTime(250);
    const second = written();
    expect(second).not.toBe(first);
    expect(first + second).not.toContain('\n');
    progress.done();
    expect(written()).toBe('\r\x1b[K');
  });

  it('never wraps its line', () => {
    const stream = terminal(20);
    const written = recorded(stream);
    createProgress(stream).step('x'.repeat(100));
    expect(written().replace('\r\x1b[K', '')).toHaveLength(19);
  });
});
