import { createHash } from 'node:crypto';
import { RegistryError } from '#domain/registry-error.js';
import { CutFault, JsonCutter } from '../formats/json-cutter.js';
import type { Container, Slice } from '../formats/json-cutter.js';
import { locateFault } from '../formats/locate-fault.js';
import { Reading } from '../formats/reading.js';
import { recognizeOther } from '../formats/recognize.js';
import type { HttpAnswer } from '#http/guarded-fetch.js';
import { ENTRY_LIMITS, readServerResponse } from './read-server-response.js';
import type { ApiItem } from './read-server-response.js';

/** A ServerList of the generic registry API. */
export interface ServerList {
  readonly items: readonly ApiItem[];
  readonly nextCursor: string | undefined;
  readonly digest: string;
}

const SERVERS: Container = { name: 'servers', opener: '[', holdsEntries: true };
const ROOT: Container = { name: '', opener: '{', inside: (key) => (key === 'servers' ? SERVERS : undefined) };

const CURSOR_LIMIT = 4096;
const SHOWN_BYTES = 60;
const MAX_MEMBERS = 100;

/**
 * Parses a page. An invalid entry is quarantined. `place` identifies the page in the keys of entries without a name.
 * Throws a RegistryError `FormatMismatch` that says what was received instead of a page, or `InvalidData`.
 */
export function readPage(
  { body, headers, url }: Pick<HttpAnswer, 'body' | 'headers' | 'url'>,
  place: string,
  defaultNamespace?: string,
): ServerList {
  refuseOther(body, headers['content-type'], url);
  const json = body.subarray(0, 3).equals(BYTE_ORDER_MARK) ? body.subarray(3) : body;
  try {
    const cutter = new JsonCutter(ROOT, ENTRY_LIMITS);
    const slices = cutter.push(json);
    cutter.end();
    const entries = slices.filter(({ container }) => container === SERVERS);
    const around = slices.filter(({ container }) => container !== SERVERS);
    // Go writes an empty list as null.
    const isNull = around.some(({ key, opener }) => key === 'servers' && opener === 'n');
    if (!cutter.entered.has('servers') && !isNull) throw notAList(url, around);
    const reading = new Reading(url, {
      ...LIMITS,
      maxEntries: entries.length,
      ...(defaultNamespace !== undefined && { defaultNamespace }),
    });
    return {
      items: entries.map((slice) => readServerResponse(slice, `${place}servers`, reading)),
      nextCursor: nextCursorOf(around, url),
      digest: digestOf(entries),
    };
  } catch (error) {
    throw error instanceof CutFault ? notJson(json, error, url) : error;
  }
}

function digestOf(entries: readonly Slice[]): string {
  const sum = createHash('sha256');
  for (const { bytes } of entries) if (bytes) sum.update(bytes);
  return sum.digest('base64');
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const LIMITS = { maxEntryBytes: ENTRY_LIMITS.maxValueBytes, maxDepth: ENTRY_LIMITS.maxDepth };

function refuseOther(body: Buffer, contentType: string | undefined, url: string): void {
  const isHtml = /\bhtml\b/i.test(contentType ?? '');
  const other = isHtml ? 'is an HTML page, such as a login or error page' : recognizeOther(body.subarray(0, 4096));
  if (!other) return;
  const remedy = 'check that api.endpoint is the base URL of a registry API';
  throw new RegistryError('FormatMismatch', `The response of ${url} ${other.replace(/: .*/, '')}: ${remedy}.`);
}

const VALUES: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({ '[': 'a bare list', '{': 'an object without fields' }),
);

function notAList(url: string, around: readonly Slice[]): RegistryError {
  const names = around.filter(({ container }) => container === ROOT).map(({ key }) => `"${shown(String(key))}"`);
  const [first] = around;
  const what =
    names.length > 0
      ? `it has ${names.slice(0, 5).join(', ')}`
      : `it is ${first ? (VALUES.get(first.opener) ?? 'another value') : 'empty'}`;
  const message = `The response of ${url} is not a list of servers ({"servers": […]}); ${what}: check api.endpoint.`;
  return new RegistryError('FormatMismatch', message);
}

function nextCursorOf(around: readonly Slice[], url: string): string | undefined {
  if (around.length > MAX_MEMBERS) {
    throw new RegistryError('InvalidData', `The response of ${url} has more than ${MAX_MEMBERS} fields.`);
  }
  const bytes = around.find(({ container, key }) => container === ROOT && key === 'metadata')?.bytes;
  if (!bytes) return undefined;
  const metadata = parse(bytes, around) as Record<string, unknown> | null;
  // Registries of 2025 used snake case.
  const cursor = metadata?.['nextCursor'] ?? metadata?.['next_cursor'] ?? '';
  const isUsable = typeof cursor === 'string' && cursor.length <= CURSOR_LIMIT && cursor.isWellFormed();
  if (!isUsable || cursor.includes('\0')) {
    throw new RegistryError('InvalidData', `The response of ${url} has a metadata.nextCursor that is not valid text.`);
  }
  return cursor || undefined;
}

function parse(bytes: Uint8Array, around: readonly Slice[]): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch (error) {
    throw locateFault(bytes, around.find((slice) => slice.bytes === bytes)?.offset ?? 0) ?? error;
  }
}

/**
 * Returns an error that quotes the text around the position, because a page is not a file that users could open at a
 * line.
 */
function notJson(body: Buffer, { message, offset }: CutFault, url: string): RegistryError {
  const from = Math.max(0, offset - SHOWN_BYTES / 2);
  const around = shown(body.toString('utf8', from, from + SHOWN_BYTES));
  const what = message.replace(/^the file/, 'it');
  return new RegistryError(
    'InvalidData',
    `The response of ${url} is not valid JSON: ${what}, at byte ${offset}, near "${around}".`,
  );
}

function shown(text: string): string {
  return text
    .slice(0, SHOWN_BYTES)
    .toWellFormed()
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
}
