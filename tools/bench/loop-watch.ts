/** The longest event-loop block; all values are in milliseconds. */
export interface LongestBlock {
  /** The longest time for which the event loop was blocked. */
  readonly held: number;
  /**
   * The most CPU time that the thread used between two turns of the loop. The rest of a block is the wait for a core.
   */
  readonly worked: number;
}

const EVERY_MS = 1;

/**
 * Watches the event loop of this thread. If all cores are busy, for example while two import a catalogue, most of a
 * block is the wait for a core. Only the time that the thread worked is due to the code.
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

/** Returns the CPU time that this thread has used so far. */
function workedMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

export function showBlock({ held, worked }: LongestBlock): string {
  return `${held.toFixed(1)} / ${worked.toFixed(1)}`;
}
