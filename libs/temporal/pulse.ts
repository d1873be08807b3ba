import type { Client } from '@temporalio/client';

const ASK_EVERY_MS = 5_000;
const ANSWER_MS = 3_000;
/** One lost answer is no outage. */
const LOST_ANSWERS = 2;

/** Throws when a Temporal server does not answer. */
export async function askTemporal({ connection }: Client): Promise<void> {
  await connection.withDeadline(Date.now() + ANSWER_MS, () => connection.workflowService.getSystemInfo({}));
}

/** Knows whether a Temporal server is there: its own client waits in silence until it is back. */
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

  /** Since when it does not answer; undefined while it does. */
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
