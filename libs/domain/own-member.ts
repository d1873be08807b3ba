/**
 * Returns an own property of the record, because a name from outside may be that of an inherited property, such as
 * `constructor`.
 */
export function ownMember<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record && Object.hasOwn(record, name) ? record[name] : undefined;
}
