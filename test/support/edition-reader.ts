import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from './eventually.js';

interface ServerPage {
  readonly servers: readonly { readonly server: { readonly name: string; readonly description: string } }[];
  readonly metadata: { readonly nextCursor?: string };
}

const PAGE_SIZE = 300;
const BETWEEN_PASSES_MS = 40;

/**
 * Reads a list page by page, repeatedly, while a test breaks things behind it. The description of each entry ends with
 * its edition. Every response must be a page of one complete edition, and a list must never go back to an older
 * edition.
 */
export class EditionReader {
  /** Inconsistencies that were seen. Empty if there were none. */
  readonly faults: string[] = [];
  answers = 0;
  private newest = 0;
  private seenWhole = 0;
  private reading = true;
  private readonly done: Promise<void>;
  private readonly known = new Map<number, readonly string[]>();

  /** `edition` returns `name description` of all entries of the n-th edition, in order. */
  constructor(
    private readonly url: string,
    private readonly edition: (n: number) => readonly string[],
  ) {
    this.done = this.read();
  }

  /** Resolves when a complete pass over all pages has found this edition. */
  async sees(edition: number): Promise<void> {
    await eventually(() => this.seenWhole >= edition || undefined, 10);
  }

  async stop(): Promise<void> {
    this.reading = false;
    await this.done;
  }

  private async read(): Promise<void> {
    while (this.reading) {
      await this.pass().catch((error: unknown) => this.faults.push(String(error)));
      await sleep(BETWEEN_PASSES_MS);
    }
  }

  private async pass(): Promise<void> {
    const editions = new Set<number>();
    let [cursor, last]: [string | undefined, string | undefined] = [undefined, undefined];
    do {
      const query = new URLSearchParams({ limit: String(PAGE_SIZE), ...(cursor === undefined ? {} : { cursor }) });
      const response = await fetch(`${this.url}/v0.1/servers?${query}`);
      if (!response.ok) throw new Error(`answered ${response.status}: ${await response.text()}`);
      const page = (await response.json()) as ServerPage;
      editions.add(this.judge(page, last));
      last = page.servers.at(-1)?.server.name;
      cursor = page.metadata.nextCursor;
    } while (cursor !== undefined);
    if (editions.size === 1) this.seenWhole = Math.max(this.seenWhole, ...editions);
  }

  /** Checks a page and returns its edition. `after` is the last name of the page before it. */
  private judge({ servers, metadata }: ServerPage, after: string | undefined): number {
    this.answers++;
    const lines = servers.map(({ server }) => `${server.name} ${server.description}`);
    const edition = Number(/edition (\d+)$/.exec(lines[0] ?? '')?.[1] ?? 0);
    const whole = this.known.get(edition) ?? this.edition(edition);
    this.known.set(edition, whole);
    const start = after === undefined ? 0 : whole.findIndex((line) => line.slice(0, line.indexOf(' ')) > after);
    const wanted = whole.slice(start, start + PAGE_SIZE);
    const isLast = metadata.nextCursor === undefined;
    if (lines.join('\n') !== wanted.join('\n') || isLast !== start + PAGE_SIZE >= whole.length) {
      const odd = lines.findIndex((line, index) => line !== wanted[index]);
      this.faults.push(`after "${after}": ${lines.length} of edition ${edition}, odd from "${lines[odd]}" on`);
    }
    if (edition < this.newest) this.faults.push(`edition ${edition} came after edition ${this.newest}`);
    this.newest = Math.max(this.newest, edition);
    return edition;
  }
}
