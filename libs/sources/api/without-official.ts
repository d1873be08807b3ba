import type { EntryText } from '../formats/entry-text.js';
import { isFields } from '#domain/fields.js';
import { JsonCutter } from '../formats/json-cutter.js';
import type { Container } from '../formats/json-cutter.js';
import { OFFICIAL } from './lifecycle.js';

const OBJECT: Container = { name: 'object', opener: '{', holdsEntries: true };

/**
 * Removes the official block from the `_meta` of an entry that is the server itself. The block is what the other
 * registry said about the server, and must not be served as a part of the server.json. No other byte changes.
 */
export function withoutOfficial(given: EntryText): EntryText {
  const { value } = given;
  if (!isFields(value) || !isFields(value['_meta']) || !Object.hasOwn(value['_meta'], OFFICIAL)) return given;
  const text = replaceMember(given.text, '_meta', (meta) => {
    const rest = replaceMember(meta, OFFICIAL, () => undefined);
    return rest === '{}' ? undefined : rest;
  });
  return { text, value: JSON.parse(text) };
}

/**
 * Replaces the value of a member in the text of an object without white space. The member is removed if there is no new
 * value.
 */
function replaceMember(text: string, name: string, replace: (value: string) => string | undefined): string {
  const bytes = Buffer.from(text);
  const cutter = new JsonCutter(OBJECT, { maxValueBytes: bytes.length, maxDepth: Number.MAX_SAFE_INTEGER });
  let end = 0;
  const members = cutter.push(bytes).flatMap(({ key, offset, bytes: value }) => {
    // The name of a member starts behind the `{`, or behind the comma after the previous member.
    const [start, valueLength] = [end + 1, value?.length ?? 0];
    end = offset + valueLength;
    if (key !== name) return [bytes.toString('utf8', start, end)];
    const replacement = replace(bytes.toString('utf8', offset, end));
    return replacement === undefined ? [] : [`${bytes.toString('utf8', start, offset)}${replacement}`];
  });
  return `{${members.join(',')}}`;
}
