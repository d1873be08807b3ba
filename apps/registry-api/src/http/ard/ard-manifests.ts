import { randomUUID } from 'node:crypto';
import { registryIdentifier } from '#domain/ard/identifier.js';
import { ARD_LIMITS } from '#domain/ard/search-request.js';
import type { CatalogueReader } from '#read-model/catalogue-reader.js';
import type { AnswerResources } from '../prepared-answer.js';
import { admitText } from '../tagged-answer.js';
import type { AdmittedBytes } from '../tagged-answer.js';
import { find, readEntries } from './ard-pages.js';

/** Whose manifest it is. */
export interface ManifestSubject {
  /** The address of the registry, without a slash at its end. */
  readonly base: string;
  readonly name: string;
  readonly displayName: string;
  /** What everybody may read of it; undefined for nothing. */
  readonly reader: CatalogueReader | undefined;
}

/** Stands for the address of the registry in the entries that are kept: no document holds it, since it is random. */
const BASE = `https://${randomUUID()}.invalid`;

/**
 * Makes manifests. The entries of a state are made once and kept with its reader, whatever address they are asked at; equal
 * requests share one making (singleflight).
 */
export class ArdManifests {
  readonly #entries = new WeakMap<CatalogueReader, Promise<string>>();

  /** The kept entries are shared by all answers; each answer has a copy with its address, which is charged to it alone. */
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

/** All or nothing: a list that was cut would look whole to a crawler. */
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

/** As part of a JSON text. */
function escaped(base: string): string {
  return JSON.stringify(base).slice(1, -1).replaceAll('$', '$$$$');
}
