/** The longest event-loop block; all values are in milliseconds. */
export interface LongestBlock {
  /** The longest that the event loop took no turn. */
  readonly held: number;
  /** The most that its thread did in such a time; the rest of it is the wait for a core. */
  readonly worked: number;
}

const EVERY_MS = 1;

/**
 * Watches the event loop of this thread. Where all cores are busy, as while a catalogue is imported on two, most of what
 * looks like a block is the wait for one; the code is to blame for what the thread worked.
 */
export class LoopWatch {
  #timer: NodeJS.Timeout | undefined;
  #held = 0;
  #worked = 0;

  start(): void {
    this.stop();
    [this.#held, this.#worked] = [0, 0];
    this.#next(performance.now(), workedMs());
  }

  stop(): LongestBlock {
    clearTimeout(this.#timer);
    return { held: this.#held, worked: this.#worked };
  }

  #next(since: number, before: number): void {
    this.#timer = setTimeout(() => {
      const [now, worked] = [performance.now(), workedMs()];
      this.#held = Math.max(this.#held, now - since - EVERY_MS);
      this.#worked = Math.max(this.#worked, worked - before);
      this.#next(now, worked);
    }, EVERY_MS);
  }
}

/** Returns the CPU time of this thread so far. */
function workedMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

export function showBlock({ held, worked }: LongestBlock): string {
  return `${held.toFixed(1)} / ${worked.toFixed(1)}`;
}
