import type { Client } from '@temporalio/client';

const ASK_EVERY_MS = 5_000;
const ANSWER_MS = 3_000;
/** Number of lost responses that count as an outage. A single one does not. */
const LOST_ANSWERS = 2;

/** Sends a request to a Temporal server. Throws if it does not respond. */
export async function askTemporal({ connection }: Client): Promise<void> {
  await connection.withDeadline(Date.now() + ANSWER_MS, () => connection.workflowService.getSystemInfo({}));
}

/**
 * Monitors whether a Temporal server is available. This is needed because Temporal's client waits silently until the
 * server is back.
 */
export class Pulse {
  private readonly timer: NodeJS.Timeout;
  private lastAnswerAt = new Date();
  private lost = 0;
  private isAsking = false;

  constructor(
    private readonly client: Client,
    askEveryMs = ASK_EVERY_MS,
  ) {
    this.timer = setInterval(() => void this.ask(), askEveryMs).unref();
  }

  /** Time since which the server has not responded. Undefined while it responds. */
  get silentSince(): Date | undefined {
    return this.lost < LOST_ANSWERS ? undefined : this.lastAnswerAt;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async ask(): Promise<void> {
    if (this.isAsking) return;
    this.isAsking = true;
    try {
      await askTemporal(this.client);
      this.lastAnswerAt = new Date();
      this.lost = 0;
    } catch {
      this.lost++;
    } finally {
      this.isAsking = false;
    }
  }
}
