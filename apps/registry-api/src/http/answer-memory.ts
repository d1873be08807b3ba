import { ByteBudget } from '../byte-budget.js';
import { API_LIMITS } from '../limits.js';
import { memoryShareMiB } from '../memory-share.js';
import { Compressor } from './compressor.js';
import { KeptMemory } from './kept-memory.js';

/** The memory and the compression slots that all responses of a process share. */
export class AnswerMemory {
  readonly compressor = new Compressor(API_LIMITS.concurrentCompressions);
  readonly kept = new KeptMemory(API_LIMITS.keptAnswerBytes);
  readonly memory: ByteBudget;

  /**
   * `limitBytes` is the maximum memory of responses that are being sent; by default a share of the process's memory.
   */
  constructor(limitBytes = defaultLimitBytes()) {
    this.memory = new ByteBudget(limitBytes);
  }
}

function defaultLimitBytes(): number {
  const { share, ...bounds } = API_LIMITS.answerMemory;
  return memoryShareMiB(share, bounds) * 1024 * 1024;
}
