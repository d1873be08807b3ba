import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '#persistence/client.js';
import type { Logger } from 'pino';
import { changeStatus, publishEntry } from '#persistence/managed-entries.js';
import type { ManagedPlace, Publisher, StatusChange } from '#persistence/managed-entries.js';
import { readSources } from '#persistence/read-sources.js';
import { PublishFault, readPublished } from '#sources/formats/published-server.js';
import { findSource } from '#sources/index.js';
import { UnknownSource } from '../catalogue/catalogue.js';
import type { CatalogueScope } from '../catalogue/catalogue.js';
import type { LiveCatalogue } from '../catalogue/live-catalogue.js';
import { readServer } from '../catalogue/read-server.js';
import type { SourceNudges } from '../sync/source-nudges.js';
import type { ViewDatabase } from '#persistence/view-database.js';
import { Refusal } from '../refusal.js';

/** A write is answered once memory shows it, or after this long in any case. */
const VISIBLE_WITHIN_MS = 2_000;

/** The caller who publishes, and the request by which the log names it. */
export interface Writer extends Publisher {
  readonly requestId: string;
}

/** Where a caller publishes. */
export interface PublishTarget {
  readonly scope: CatalogueScope;
  /** The prefixes that names must have, by managed source; a source without an item takes any name. */
  readonly namePrefixes: ReadonlyMap<string, readonly string[]>;
  readonly writer: Writer;
}

/** The versions of one server whose status changed, each as a ServerResponse in JSON. */
export interface ChangedVersions {
  readonly servers: readonly Buffer[];
}

/** Writes entries of managed sources; throws Refusal. */
export class PublishedEntries {
  readonly #audit: Logger;

  constructor(
    private readonly database: ViewDatabase,
    private readonly catalogue: LiveCatalogue,
    private readonly nudges: SourceNudges,
    logger: Logger,
  ) {
    this.#audit = logger.child({ log: 'audit' });
  }

  /**
   * Publishes a server.json and returns its ServerResponse. `member` names the member of the body that holds the
   * server.json; without it the body is the server.json.
   */
  async publish(target: PublishTarget, body: Buffer, member?: string): Promise<Buffer> {
    const published = read(body, member);
    const place = await this.placeOf(target.scope);
    const { name, version } = published.entry;
    demandPrefix(target.namePrefixes.get(place.source), place, name);
    const outcome = await this.database.withClient((client) =>
      publishEntry(client, place, published, target.writer, (inside, sourceId) =>
        readAnswer(inside, sourceId, { name, version }),
      ),
    );
    if (outcome === 'absent') throw notManaged(place.source);
    if (outcome === 'exists' || outcome === 'deleted') {
      const was = outcome === 'exists' ? 'is published already' : 'was published and deleted';
      throw new Refusal('conflict', `${name} ${version} ${was}: choose another version`);
    }
    const sha256 = published.hash.toString('hex');
    this.#audit.info({ ...auditFields(place, target.writer), name, version, sha256 }, 'entry published');
    await this.settle(place, { name, version }, { isShown: (shown) => shown !== undefined });
    return outcome.written;
  }

  /** Deletes one version and returns the ServerResponse of its tombstone. */
  async remove(target: PublishTarget, name: string, version: string): Promise<Buffer> {
    const { servers } = await this.change(target, { name, version }, { status: 'deleted', statusMessage: null }, true);
    return servers[0] as Buffer;
  }

  /** Sets the status of one version, or of all versions of a server, and returns those that changed. */
  changeStatus(
    target: PublishTarget,
    which: { readonly name: string; readonly version?: string },
    change: StatusChange,
  ): Promise<ChangedVersions> {
    return this.change(target, which, change, false);
  }

  private async change(
    { scope, writer }: PublishTarget,
    which: { readonly name: string; readonly version?: string },
    change: StatusChange,
    isRemoval: boolean,
  ): Promise<ChangedVersions> {
    const place = await this.placeOf(scope);
    const { name } = which;
    const outcome = await this.database.withClient((client) =>
      changeStatus(client, place, which, change, async (inside, sourceId, versions) => {
        const servers: Buffer[] = [];
        for (const version of versions) servers.push(await readAnswer(inside, sourceId, { name, version }));
        return { versions, servers };
      }),
    );
    if (outcome === 'absent') throw notManaged(place.source);
    if (outcome === 'unknown' || (outcome === 'unchanged' && isRemoval)) throw unknownVersion(which);
    if (outcome === 'unchanged') {
      throw new Refusal('malformed', 'nothing would change: status and message are so already');
    }
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

  /** Finds the source that the path names, or the only managed one that the address stands for. */
  private async placeOf({ namespace, registry, source, view }: CatalogueScope): Promise<ManagedPlace> {
    const sources = await readSources(this.database, { namespace, registry });
    if (source !== undefined) {
      if (sources.some(({ name }) => name === source)) return { namespace, registry, source };
      // Under its own name a registry stands for all of its sources, as it does for readers.
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
        `this address stands for several managed sources (${managed.join(', ')}): use a /registry/{name} that has one of them only`,
      );
    }
    return { namespace, registry, source: only };
  }

  /**
   * Tells the workflow, and waits until memory shows the write: a publisher reads next what it published. The write is
   * committed by now, so nothing here may fail the request.
   */
  private async settle(
    place: ManagedPlace,
    written: EntryName,
    { isShown }: { readonly isShown: (shown: Buffer | undefined) => boolean },
  ): Promise<void> {
    this.nudges.changed(place);
    const deadline = Date.now() + VISIBLE_WITHIN_MS;
    while (Date.now() < deadline && !(await this.isSettled(place, written, isShown))) {
      await Promise.race([this.catalogue.nextChange(), delay(deadline - Date.now(), undefined, { ref: false })]);
    }
  }

  /** False while memory cannot answer. */
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

/** Reads what was written within its transaction: once it is committed, the answer cannot fail any more. */
async function readAnswer(client: Client, sourceId: number, { name, version }: EntryName): Promise<Buffer> {
  const answer = (await readServer(client, sourceId, { name, version })).version(name, version, true);
  if (!answer) throw new Error('what was written cannot be read back');
  return Buffer.concat(await answer.compose().body());
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
    `${name} may not be published to source "${source}": names there begin with ${prefixes.join(' or ')}`,
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
  // A NUL is not repeated.
  if (what.includes('\0')) return new Refusal('unknown', 'this registry has no such version');
  return new Refusal('unknown', `${what} is not in this registry`);
}

function notManaged(source: string): Refusal {
  return new Refusal('forbidden', `source "${source}" is not managed: what it serves comes from elsewhere`);
}
