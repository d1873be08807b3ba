import type { ServerRemote } from '#domain/server-document.js';
import { fixedText, resolveInput, resolveTemplate } from './inputs.js';
import type { Notes, Value } from './inputs.js';
import { Omitted } from './omission.js';
import { toNormalUrl } from './url-form.js';

/** A remote with its values resolved. A URL without inputs is in normal form. */
export interface RemoteCall {
  readonly transport: 'http' | 'sse';
  readonly url: Value;
  readonly headers: readonly { readonly name: string; readonly value: Value }[];
}

/** A header name (RFC 9110, section 5.1). */
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;

export function toRemoteCall(remote: ServerRemote, notes: Notes): RemoteCall {
  const headers = (remote.headers ?? []).flatMap((header) => {
    if (!HEADER_NAME.test(header.name)) throw new Omitted('fails-client-schema', 'a header has an invalid name');
    const value = resolveInput(header, header.name, notes);
    return value ? [{ name: header.name, value }] : [];
  });
  return { transport: remote.type === 'sse' ? 'sse' : 'http', url: remoteUrl(remote, notes), headers };
}

export function remoteUrl({ url = '', variables }: ServerRemote, notes: Notes): Value {
  const value = resolveTemplate(url, variables, notes);
  if (!value) throw new Omitted('needs-input', 'a variable of the URL has no value');
  const fixed = fixedText(value);
  if (fixed !== undefined) return [toNormalUrl(fixed)];
  // With any value for its inputs, the value must be a URL with a host, because the fixed part before the first input
  // decides where a request goes.
  const probe = value.map((part) => (typeof part === 'string' ? part : 'x')).join('');
  toNormalUrl(probe);
  return value;
}
