/** Number of servers of a catalogue, small enough for one page of every API. */
const SERVERS = 20;
const PREFIX = 'io.chaos/';

/** A server of a catalogue, as stored in a source and as listed by the API. */
export interface ListedServer {
  readonly name: string;
  readonly description: string;
}

/** Returns the content of a source in an edition. Every edition changes every description. */
export function serversOf(source: string, edition: number): (ListedServer & { readonly version: string })[] {
  return Array.from({ length: SERVERS }, (_, index) => ({
    name: `${PREFIX}${source}-${String(index).padStart(2, '0')}`,
    description: `Server ${index}, edition ${edition}`,
    version: '1.0.0',
  }));
}

/** Returns the content of a source in an edition, as a file in the upstream format. */
export function catalogueFile(source: string, edition: number): string {
  const meta = { last_updated: '2026-11-22T00:00:00Z' };
  return JSON.stringify({ version: '1.0.0', meta, data: { servers: serversOf(source, edition) } });
}

/** Returns the edition of a list; undefined unless the list is exactly one complete edition. */
export function editionOf(source: string, listed: readonly ListedServer[]): number | undefined {
  const edition = Number(/edition (\d+)$/.exec(listed[0]?.description ?? '')?.[1] ?? NaN);
  const texts = (servers: readonly ListedServer[]) => servers.map(({ name, description }) => `${name} ${description}`);
  return String(texts(serversOf(source, edition))) === String(texts(listed)) ? edition : undefined;
}
