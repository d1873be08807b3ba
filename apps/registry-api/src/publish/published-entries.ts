import { setTimeout as delay } from 'node:timers/promises';
import { publishEntry, removeEntry } from '#persistence/managed-entries.js';
import type { BeforeCommit, ManagedPlace } from '#persistence/managed-entries.js';
import { readSources } from '#persistence/read-sources.js';
import { PublishFault, readPublished } from '#sources/formats/published-server.js';
import { UnknownSource } from '../catalogue/catalogue-reader.js';
import type { CatalogueScope } from '../catalogue/catalogue-reader.js';
import type { LiveCatalogue } from '../catalogue/live-catalogue.js';
import { readServer } from '../catalogue/read-server.js';
import { missingVersion } from '../http/missing-server.js';
import { Problem } from '../http/problem.js';
import type { SourceNudges } from '../sync/source-nudges.js';
import type { ViewDatabase } from '../view-database.js';

/** What was written is told once memory shows it, or after this long all the same. */
const VISIBLE_WITHIN_MS = 2_000;

/** Writes entries of managed sources; throws a Problem that says why not. */
export class PublishedEntries {
  constructor(
    private readonly database: ViewDatabase,
    private readonly catalogue: LiveCatalogue,
    private readonly nudges: SourceNudges,
  ) {}

  /**
   * Answers with the ServerResponse of what was published. `member`: under which the body has the server.json; without, it
   * is the whole body.
   */
  async publish(scope: CatalogueScope, body: Buffer, member?: string): Promise<Buffer> {
    const published = read(body, member);
    const place = await this.placeOf(scope);
    const { name, version } = published.entry;
    const outcome = await this.database.withClient((client) =>
      publishEntry(client, place, published, answerOf({ name, version })),
    );
    if (outcome === 'absent') throw notManaged(place.source);
    if (outcome === 'exists') throw new Problem(409, `${name} ${version} is published already: choose another version`);
    if (outcome === 'deleted') {
      throw new Problem(409, `${name} ${version} was published and deleted: choose another version`);
    }
    this.nudges.changed(place);
    await this.seen(place, { name, version }, false);
    return outcome.written;
  }

  /** Answers with the ServerResponse of the tombstone. */
  async remove(scope: CatalogueScope, name: string, version: string): Promise<Buffer> {
    const place = await this.placeOf(scope);
    const outcome = await this.database.withClient((client) =>
      removeEntry(client, place, { name, version }, answerOf({ name, version })),
    );
    if (outcome === 'absent') throw notManaged(place.source);
    if (outcome === 'unknown') throw unknownVersion(name, version);
    this.nudges.changed(place);
    await this.seen(place, { name, version }, true);
    return outcome.written;
  }

  /** The source that the path names, or the only one within its reach that can be published to. */
  private async placeOf({ namespace, registry, source, view }: CatalogueScope): Promise<ManagedPlace> {
    const sources = await readSources(this.database, { namespace, registry });
    if (source !== undefined) {
      if (sources.some(({ name }) => name === source)) return { namespace, registry, source };
      // Under its own name the registry stands for all of its sources, as it does for those who read.
      if (source !== registry) throw new UnknownSource(source);
    }
    const managed = sources
      .filter(({ name, type }) => type === 'managed' && (view?.includes(name) ?? true))
      .map(({ name }) => name);
    if (managed.length === 0) throw new Problem(403, 'this registry has no managed source: nothing can be published');
    if (managed.length > 1) {
      throw new Problem(
        400,
        `this address stands for several managed sources (${managed.join(', ')}): use a /registry/{name} that has one of them only`,
      );
    }
    return { namespace, registry, source: managed[0]! };
  }

  /** Whoever publishes asks next for what he published. It is committed by now: nothing here may make the request fail. */
  private async seen(place: ManagedPlace, written: EntryName, isGone: boolean): Promise<void> {
    const deadline = Date.now() + VISIBLE_WITHIN_MS;
    while (Date.now() < deadline && this.isShown(place, written) !== !isGone) {
      await Promise.race([this.catalogue.nextChange(), delay(deadline - Date.now(), undefined, { ref: false })]);
    }
  }

  /** Undefined while memory cannot say. */
  private isShown(place: ManagedPlace, { name, version }: EntryName): boolean | undefined {
    try {
      return this.catalogue.reader(place).version(name, version, false) !== undefined;
    } catch {
      return undefined;
    }
  }
}

interface EntryName {
  readonly name: string;
  readonly version: string;
}

/** Made within the transaction that writes: what is committed can be told, whatever happens afterwards. */
function answerOf({ name, version }: EntryName): BeforeCommit<Buffer> {
  return async (client, sourceId) => {
    const answer = (await readServer(client, sourceId, { name, version })).version(name, version, true);
    if (!answer) throw new Error('what was written cannot be read back');
    return Buffer.concat(await answer.compose().body());
  };
}

function read(body: Buffer, member: string | undefined): ReturnType<typeof readPublished> {
  try {
    return readPublished(body, member);
  } catch (error) {
    if (error instanceof PublishFault) throw new Problem(error.kind === 'malformed' ? 400 : 422, error.message);
    throw error;
  }
}

function unknownVersion(name: string, version: string): Problem {
  // Told without its name: a NUL is nothing to show.
  if (`${name}${version}`.includes('\0')) return new Problem(404, 'this registry has no such version');
  return missingVersion(name, version);
}

function notManaged(source: string): Problem {
  return new Problem(403, `source "${source}" is not managed: what it serves comes from elsewhere`);
}
