import type { ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { Semaphore } from '#concurrency/semaphore.js';
import { nextTurn } from '#read-model/pacer.js';
import { API_LIMITS } from '../limits.js';

/** Thrown if as many costly reads are in progress or wait as may be. */
export class ReadsBusy extends Error {
  constructor() {
    super('too many requests that take long are in progress: retry in a moment');
    this.name = 'ReadsBusy';
  }
}

/**
 * A bulkhead for requests that take long to compute, because clients without login may send any number of them. A few
 * are in progress at the same time, and each starts in its own turn of the event loop, so that other requests, probes
 * above all, are answered in between. A limited number wait; more are rejected.
 */
@Injectable()
export class CostlyReads {
  readonly #permits = new Semaphore(API_LIMITS.costlyReads.concurrent);
  #admitted = 0;

  /**
   * Runs the work of a request, which must wait for nothing but its turns: neither for the database nor for the client.
   * Throws `ReadsBusy` if too many wait, or if the client has gone in the meantime.
   */
  async run<Outcome>(response: ServerResponse, work: () => Outcome | Promise<Outcome>): Promise<Outcome> {
    if (this.#admitted >= API_LIMITS.costlyReads.admitted) throw new ReadsBusy();
    this.#admitted++;
    try {
      using _permit = await this.#permits.acquire();
      await nextTurn();
      if (response.closed) throw new ReadsBusy();
      return await work();
    } finally {
      this.#admitted--;
    }
  }
}
