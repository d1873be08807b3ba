import { randomUUID } from 'node:crypto';
import { registryIdentifier } from '#domain/ard/identifier.js';
import { ARD_LIMITS } from '#domain/ard/search-request.js';
import type { CatalogueReader } from '#read-model/catalogue-reader.js';
import type { AnswerResources } from '../prepared-answer.js';
import { admitText } from '../tagged-answer.js';
import type { AdmittedBytes } from '../tagged-answer.js';
import { find, readEntries } from './ard-pages.js';

/** The registry or part that a manifest describes. */
export interface ManifestSubject {
  /** URL of the registry, without a trailing slash. */
  readonly base: string;
  readonly name: string;
  readonly displayName: string;
  /** Reader of the part that is open to everybody; undefined if nothing is. */
  readonly reader: CatalogueReader | undefined;
}

/** Placeholder for the URL of the registry in cached entries. It is random, so no document can contain it. */
const BASE = `https://${randomUUID()}.invalid`;

/**
 * Creates manifests. The entries of a state are created once and cached with its reader, regardless of the requested
 * URL. Concurrent requests share one creation (singleflight).
 */
export class ArdManifests {
  readonly #entries = new WeakMap<CatalogueReader, Promise<string>>();

  /**
   * Returns a manifest. All responses share the cached entries. Each response has a copy with its own URL, whose memory
   * is reserved for that response.
   */
  async manifest(subject: ManifestSubject, resources: AnswerResources): Promise<AdmittedBytes> {
    const { base, reader, displayName } = subject;
    const servers = reader ? (await this.#entriesOf(reader, resources)).replaceAll(BASE, escaped(base)) : '';
    const host = { displayName, documentationUrl: `${base}/reference` };
    const head = JSON.stringify({ specVersion: '1.0', host }).slice(0, -1);
    return admitText(`${head},"entries":[${JSON.stringify(registryEntry(subject))}${servers}]}`, resources.memory);
  }

  #entriesOf(reader: CatalogueReader, resources: AnswerResources): Promise<string> {
    const known = this.#entries.get(reader);
    if (known) return known;
    const made = makeEntries(reader, resources);
    this.#entries.set(reader, made);
    made.catch(() => this.#entries.delete(reader));
    return made;
  }
}

/** Returns all entries or none, because a crawler could not tell that a truncated list is incomplete. */
async function makeEntries(reader: CatalogueReader, resources: AnswerResources): Promise<string> {
  const findings = find(reader, {});
  if (findings.size > ARD_LIMITS.manifest) return '';
  const entries = await readEntries(findings, { from: 0, limit: findings.size, base: BASE }, resources);
  return entries.length < findings.size ? '' : entries.map((entry) => `,${JSON.stringify(entry)}`).join('');
}

function registryEntry({ base, name, displayName, reader }: ManifestSubject): object {
  const { hostname } = new URL(base);
  return {
    identifier: registryIdentifier(hostname, name),
    displayName,
    type: 'application/ai-registry+json',
    url: `${base}/`,
    description: `The MCP servers of ${displayName}.`,
    ...(reader?.changedAtMs !== undefined && { updatedAt: new Date(reader.changedAtMs).toISOString() }),
  };
}

/** Escapes a base URL for use inside a JSON string. */
function escaped(base: string): string {
  return JSON.stringify(base).slice(1, -1).replaceAll('$', '$$$$');
}
