import type { Auth } from '#spec/auth-spec.js';
import { parseRegistrySpec } from '#spec/registry-spec.js';

/** Parses the `auth` of a spec, written as by a user, in the same way as the product. */
export function oauth(fields: object): Auth {
  const read = parseRegistrySpec({ auth: fields });
  if ('faults' in read) throw new Error(JSON.stringify(read.faults));
  if (!read.spec.auth) throw new Error('the spec has no auth');
  return read.spec.auth;
}
