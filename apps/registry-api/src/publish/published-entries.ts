import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import {
  changeStatus,
  MOST_CHANGED_BYTES,
  MOST_CHANGED_VERSIONS,
  MOST_VERSIONS,
  publishEntry,
} from '#persistence/managed-entries.js';
import type { ManagedPlace, Publisher, StatusChange } from '#persistence/managed-entries.js';
import { readSources } from '#persistence/read-sources.js';
import { PublishFault, readPublished } from '#sources/formats/published-server.js';
import { findSource } from '#sources/index.js';
import { CatalogueNotLoaded, UnknownSource } from '../catalogue/catalogue.js';
import type { CatalogueScope } from '../catalogue/catalogue.js';
import type { LiveCatalogue } from '../catalogue/live-catalogue.js';
import { readServer } from '../catalogue/read-server.js';
import type { SourceNudges } from '../sync/source-nudges.js';
import type { ViewDatabase } from '#persistence/view-database.js';
import { Refusal } from '../refusal.js';

/** Maximum delay of the response to a write until the catalogue in memory shows the write. */
const VISIBLE_WITHIN_MS = 2_000;

/** The publisher, and the id of the request in the log. */
export interface Writer extends Publisher {
  readonly requestId: string;
}

/** The scope that a caller publishes to. */
export interface PublishTarget {
  readonly scope: CatalogueScope;
  /** The uid of the registry; undefined if any uid is accepted. */
  readonly uid: string | undefined;
  /** The prefixes that names must have, by managed source. A source without an item accepts any name. */
  readonly namePrefixes: ReadonlyMap<string, readonly string[]>;
  readonly writer: Writer;
}

/** The versions of one server whose status has changed, each as a ServerResponse in JSON. */
export interface ChangedVersions {
  readonly servers: readonly Buffer[];
}

/** Writes entries of managed sources. Throws Refusal. */
export class PublishedEntries {
  readonly #audit: Logger;

  constructor(
    private readonly database: ViewDatabase,
    private readonly catalogue: LiveCatalogue,
    private readonly nudges: SourceNudges,
    logger: Logger,
    private readonly visibleWithinMs = VISIBLE_WITHIN_MS,
  ) {
    this.#audit = logger.child({ log: 'audit' });
  }

  /**
   * Publishes a server.json and returns its ServerResponse. `member` is the property of the body that contains the
   * server.json; without it, the body is the server.json.
   */
  async publish(target: PublishTarget, body: Buffer, member?: string): Promise<Buffer> {
    const published = read(body, member);
    const place = { ...(await this.placeOf(target.scope)), uid: target.uid };
    const { name, version } = published.entry;
    demandPrefix(target.namePrefixes.get(place.source), place, name);
    const outcome = await this.database.withClient((client) =>
      publishEntry(client, place, published, target.writer, (inside, sourceId) =>
        readServer(inside, sourceId, { name, versions: [version] }),
      ),
    );
    if (outcome === 'absent') throw this.catalogue.snapshots ? notManaged(place.source) : new CatalogueNotLoaded();
    if (outcome === 'full') {
      const count = `${MOST_VERSIONS} versions, deleted ones included`;
      throw new Refusal('conflict', `${name} has ${count}, which is the maximum: publish under another name`);
    }
    if (outcome === 'exists' || outcome === 'deleted') {
      const was = outcome === 'exists' ? 'is published already' : 'was published and deleted';
      throw new Refusal('conflict', `${name} ${version} ${was}: choose another version`);
    }
    const sha256 = published.hash.toString('hex');
    this.#audit.info({ ...auditFields(place, target.writer), name, version, sha256 }, 'entry published');
    await this.settle(place, { name, version }, { isShown: (shown) => shown !== undefined });
    return outcome.written[0] as Buffer;
  }

  /** Deletes one version and returns the ServerResponse of its tombstone. */
  async remove(target: PublishTarget, name: string, version: string): Promise<Buffer> {
    const { servers } = await this.change(target, { name, version }, { status: 'deleted', statusMessage: null }, true);
    return servers[0] as Buffer;
  }

  /** Sets the status of one version, or of all versions of a server, and returns the changed ones. */
  changeStatus(
    target: PublishTarget,
    which: { readonly name: string; readonly version?: string },
    change: StatusChange,
  ): Promise<ChangedVersions> {
    return this.change(target, which, change, false);
  }

  private async change(
    { scope, uid, writer }: PublishTarget,
    which: { readonly name: string; readonly version?: string },
    change: StatusChange,
    isRemoval: boolean,
  ): Promise<ChangedVersions> {
    const place = { ...(await this.placeOf(scope)), uid };
    const { name } = which;
    const outcome = await this.database.withClient((client) =>
      changeStatus(client, place, which, change, async (inside, sourceId, versions) => ({
        versions,
        servers: await readServer(inside, sourceId, { name, versions }),
      })),
    );
    if (outcome === 'absent') throw this.catalogue.snapshots ? notManaged(place.source) : new CatalogueNotLoaded();
    if (outcome === 'unknown' || (outcome === 'unchanged' && isRemoval)) throw unknownVersion(which);
    if (outcome === 'unchanged') {
      throw new Refusal('malformed', 'nothing would change: status and message already have these values');
    }
    if (outcome === 'too-large') throw tooLarge(name);
    const { versions, servers } = outcome.written;
    this.#audit.info({ ...auditFields(place, writer), name, versions, ...change }, 'entry status changed');
    const [version, written] = [versions.at(-1) as string, servers.at(-1) as Buffer];
    const isShown =
      change.status === 'deleted'
        ? (shown: Buffer | undefined) => shown === undefined
        : (shown: Buffer | undefined) => shown?.equals(written) === true;
    await this.settle(place, { name, version }, { isShown });
    return { servers };
  }

  /** Finds the source in the path or, if the path has none, the only managed source of the registry or view. */
  private async placeOf({ namespace, registry, source, view }: CatalogueScope): Promise<ManagedPlace> {
    this.catalogue.demandStored({ namespace, name: registry });
    const sources = await readSources(this.database, { namespace, registry });
    if (source !== undefined) {
      if (sources.some(({ name }) => name === source)) return { namespace, registry, source };
      // The registry's own name stands for all of its sources, as it does for reads.
      if (source !== registry) throw new UnknownSource(source);
    }
    const managed = sources
      .filter(({ name, type }) => findSource(type)?.shape === 'published' && (view?.includes(name) ?? true))
      .map(({ name }) => name);
    const [only, ...others] = managed;
    if (only === undefined) {
      throw new Refusal('forbidden', 'this registry has no managed source: nothing can be published');
    }
    if (others.length > 0) {
      throw new Refusal(
        'ambiguous',
        `this URL covers several managed sources (${managed.join(', ')}): use a /registry/{name} that has only one of them`,
      );
    }
    return { namespace, registry, source: only };
  }

  /**
   * Nudges the workflow, and waits until the catalogue in memory shows the write, because a publisher often reads its
   * entry next. The write is already committed, so nothing here may make the request fail.
   */
  private async settle(
    place: ManagedPlace,
    written: EntryName,
    { isShown }: { readonly isShown: (shown: Buffer | undefined) => boolean },
  ): Promise<void> {
    this.nudges.changed(place);
    const deadline = performance.now() + this.visibleWithinMs;
    while (performance.now() < deadline && !(await this.isSettled(place, written, isShown))) {
      const leftMs = deadline - performance.now();
      await Promise.race([this.catalogue.nextChange(), delay(leftMs, undefined, { ref: false })]);
    }
  }

  /** Returns whether the catalogue in memory shows the write; false if it cannot be read. */
  private async isSettled(
    place: ManagedPlace,
    { name, version }: EntryName,
    isShown: (shown: Buffer | undefined) => boolean,
  ): Promise<boolean> {
    try {
      const answer = this.catalogue.reader(place).version(name, version, false);
      return isShown(answer && Buffer.concat(await answer.compose().body()));
    } catch {
      return false;
    }
  }
}

interface EntryName {
  readonly name: string;
  readonly version: string;
}

function read(body: Buffer, member: string | undefined): ReturnType<typeof readPublished> {
  try {
    return readPublished(body, member);
  } catch (error) {
    if (error instanceof PublishFault) throw new Refusal(error.kind, error.message);
    throw error;
  }
}

function demandPrefix(prefixes: readonly string[] | undefined, { source }: ManagedPlace, name: string): void {
  if (!prefixes || prefixes.some((prefix) => name.startsWith(prefix))) return;
  throw new Refusal(
    'forbidden',
    `${name} may not be published to source "${source}": names there must begin with ${prefixes.join(' or ')}`,
  );
}

function auditFields(
  { namespace, registry, source }: ManagedPlace,
  { provider, subject, requestId }: Writer,
): Readonly<Record<string, string>> {
  return { requestId, registry: `${namespace}/${registry}`, source, provider, subject: subject.slice(0, 256) };
}

function unknownVersion({ name, version }: { readonly name: string; readonly version?: string }): Refusal {
  const what = version === undefined ? `server "${name}"` : `version "${version}" of server "${name}"`;
  // Do not repeat a name with a NUL in the message.
  if (what.includes('\0')) return new Refusal('unknown', 'this registry has no such version');
  return new Refusal('unknown', `${what} is not in this registry`);
}

function tooLarge(name: string): Refusal {
  return new Refusal(
    'conflict',
    `too much of server "${name}" would change at once: one request changes at most ${MOST_CHANGED_VERSIONS} versions ` +
      `of ${MOST_CHANGED_BYTES / 1024 ** 2} MiB in all; change them version by version, at versions/{version}/status`,
  );
}

function notManaged(source: string): Refusal {
  return new Refusal(
    'forbidden',
    `source "${source}" is not managed: its entries come from elsewhere and cannot be changed here`,
  );
}
