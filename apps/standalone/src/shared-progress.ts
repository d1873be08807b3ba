import type { Progress } from '#devstack/progress.js';

/** Shares one progress line among several concurrent parts: it shows the newest step of those that are not done. */
export class SharedProgress {
  /** The newest step of each part, most recent last. */
  private readonly steps = new Map<Progress, string>();

  constructor(private readonly whole: Progress) {}

  async during<T>(work: (part: Progress) => Promise<T>): Promise<T> {
    const part: Progress = {
      step: (text) => {
        this.steps.delete(part);
        this.steps.set(part, text);
        this.whole.step(text);
      },
      done: () => {
        this.steps.delete(part);
        const awaited = Array.from(this.steps.values()).at(-1);
        if (awaited !== undefined) this.whole.step(awaited);
      },
    };
    return work(part).finally(() => part.done());
  }
}
