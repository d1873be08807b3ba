import { ownMember } from '#domain/own-member.js';

/**
 * Small parsers for values from outside, because a schema library is too heavy for workflow code. Each returns a copy
 * of the known parts of a value, so that unknown fields are never kept, and throws `Malformed` for anything else.
 */
export type Reader<T> = (value: unknown) => T;

/** A value does not have the expected shape. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

const TEXT_LIMIT = 16_384;
const NAME_LIMIT = 1_024;
const LIST_LIMIT = 200;

/** Returns a copy of a value, or undefined if it is malformed. */
export function readShape<T>(reader: Reader<T>, value: unknown): T | undefined {
  try {
    return reader(value);
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

export const optional =
  <T>(reader: Reader<T>): Reader<T | undefined> =>
  (value) =>
    value === undefined ? undefined : reader(value);

/** Reads a value without parts that the predicate accepts. */
export const which =
  <T>(accepts: (value: unknown) => boolean): Reader<T> =>
  (value) => {
    if (!accepts(value)) throw new Malformed();
    return value as T;
  };

const text = (limit: number) => which<string>((value) => typeof value === 'string' && value.length <= limit);

export const name = which<string>((value) => typeof value === 'string' && value.length <= NAME_LIMIT && value !== '');
/** Reads a string that may be empty. */
export const message = text(TEXT_LIMIT);
/** Reads the key of a plan, which is long because it contains the name of every source. */
export const planText = text(8 * TEXT_LIMIT);
export const time = which<number>((value) => Number.isFinite(value) && (value as number) >= 0);
export const count = which<number>((value) => Number.isSafeInteger(value) && (value as number) >= 0);
export const bool = which<boolean>((value) => typeof value === 'boolean');
export const yes = which<true>((value) => value === true);
export const oneOf = <const T>(values: readonly T[]): Reader<T> => which<T>((value) => values.includes(value as T));

export const listOf =
  <T>(reader: Reader<T>, limit = LIST_LIMIT): Reader<T[]> =>
  (value) => {
    if (!Array.isArray(value) || value.length > limit) throw new Malformed();
    return value.map((each) => reader(each));
  };

/** One reader per field, so that the compiler reports a missing reader when a field is added to the type. */
type Fields<T> = { readonly [Field in keyof T]-?: Reader<T[Field] | undefined> };

export const object =
  <T extends object>(fields: Fields<T>): Reader<T> =>
  (value) => {
    const known = asRecord(value);
    const read = Object.entries<Reader<unknown>>(fields as Readonly<Record<string, Reader<unknown>>>).flatMap(
      ([field, reader]) => {
        const copy = reader(ownMember(known, field));
        return copy === undefined ? [] : [[field, copy] as const];
      },
    );
    return Object.fromEntries(read) as T;
  };

/** Reads an object that maps names to values. */
export const recordOf =
  <T>(reader: Reader<T>, limit = LIST_LIMIT): Reader<Record<string, T>> =>
  (value) => {
    const entries = Object.entries(asRecord(value));
    if (entries.length > limit) throw new Malformed();
    return Object.fromEntries(entries.map(([key, each]) => [name(key), reader(each)]));
  };

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Malformed();
  return value as Readonly<Record<string, unknown>>;
}
