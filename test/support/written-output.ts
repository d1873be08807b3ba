import { afterAll, afterEach, beforeAll, vi } from 'vitest';

type Output = Record<'stdout' | 'stderr', string>;

/**
 * Captures what the tests of a file write to standard output and standard error, instead of showing it. Cleared after
 * each test.
 */
export function useWrittenOutput(): Output {
  const written: Output = { stdout: '', stderr: '' };
  beforeAll(() => {
    for (const stream of ['stdout', 'stderr'] as const) {
      vi.spyOn(process[stream], 'write').mockImplementation((text) => {
        written[stream] += String(text);
        return true;
      });
    }
  });
  afterEach(() => {
    written.stdout = '';
    written.stderr = '';
  });
  afterAll(() => vi.restoreAllMocks());
  return written;
}
