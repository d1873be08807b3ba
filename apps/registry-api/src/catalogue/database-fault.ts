const CATEGORIES: readonly { readonly name: string; readonly codes: RegExp }[] = [
  // SQLSTATE class 28 and "insufficient privilege", then TLS, then all that keeps a connection from being made.
  { name: 'DatabaseAuthFailed', codes: /^28/ },
  { name: 'DatabasePermissionDenied', codes: /^42501$/ },
  { name: 'DatabaseTLSFailed', codes: /CERT|TLS|SSL|UNABLE_TO_(VERIFY|GET_ISSUER)/ },
  { name: 'DatabaseNotMigrated', codes: /^42P01$|^3F000$/ },
];

/** One line for people: what kind of trouble the database makes, and its own words. Never holds a password. */
export function describeDatabaseFault(error: unknown): string {
  const { code = '', message = String(error) } = error as { code?: string; message?: string };
  const text = /does not support SSL/.test(message) ? 'TLS' : String(code);
  const category = CATEGORIES.find(({ codes }) => codes.test(text))?.name ?? 'DatabaseUnreachable';
  // A host name with several addresses fails with an AggregateError, whose own message is empty.
  const causes = error instanceof AggregateError ? error.errors.map(({ message: cause }: Error) => cause) : [];
  return `${category}: ${message || causes.join('; ') || text}`;
}
