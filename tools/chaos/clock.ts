import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';

/** Paths of the library in Debian, Fedora and Alpine. `LIBFAKETIME` overrides them. */
const PLACES = [
  ...['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`),
  '/usr/lib64/faketime/libfaketimeMT.so.1',
  '/usr/lib/faketime/libfaketimeMT.so.1',
];

/** Returns the path of libfaketime; undefined if it is not installed. */
export function findLibFaketime(): string | undefined {
  const named = process.env['LIBFAKETIME'];
  return named ?? PLACES.find((place) => existsSync(place));
}

/**
 * The wall clock of one process, which can be stepped. Its monotonic clock stays correct, as on a machine whose clock
 * is adjusted. This works for programs that get the time from the C library, such as Node, but not for programs in Go.
 */
export class SteppedClock {
  private constructor(
    private readonly file: string,
    /** Environment variables of the process. */
    readonly env: Readonly<Record<string, string>>,
  ) {}

  static async create(library: string, file: string): Promise<SteppedClock> {
    const clock = new SteppedClock(file, {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    });
    await clock.step(0);
    return clock;
  }

  /** Sets how far the clock is ahead of the real time. A negative number sets it behind. */
  async step(seconds: number): Promise<void> {
    await writeFile(this.file, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`);
  }

  /**
   * Removes the shared memory and the semaphore of processes that were killed by a signal, because the library leaves
   * them behind.
   */
  async removeLeftovers(pids: Iterable<number>): Promise<void> {
    for (const pid of pids) {
      for (const name of [`faketime_shm_${pid}`, `sem.faketime_sem_${pid}`])
        await rm(`/dev/shm/${name}`, { force: true });
    }
  }
}
