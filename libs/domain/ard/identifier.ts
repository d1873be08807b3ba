/** A label of a domain name (RFC 1035, section 2.3.4). */
const LABEL = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/;
const MAX_DOMAIN = 253;
const LEAF = /^[a-zA-Z0-9._-]+$/;
const IP_ADDRESS = /^(?:\d+(?:\.\d+){3}|\[.*\])$/;

/** Resource type in the identifier of a server, which leaves room for other types. */
const KIND = 'server';

/** An ARD identifier according to its schema. `urn:ai:` is an older spelling that some finders still write. */
const IDENTIFIER = /^urn:(?:air|ai):([a-zA-Z0-9.-]+)((?::[a-zA-Z0-9._-]+)+)$/;

/**
 * Returns the identifier of a server: `io.github.acme/search` becomes `urn:air:acme.github.io:server:search`. Undefined
 * if its namespace is not a reversed domain of two or more labels. Two names never have the same identifier.
 */
export function toIdentifier(name: string): string | undefined {
  const publisher = publisherOf(name);
  const leaf = name.slice(name.indexOf('/') + 1);
  return publisher !== undefined && LEAF.test(leaf) ? `urn:air:${publisher}:${KIND}:${leaf}` : undefined;
}

/** Returns the domain of a server's publisher; undefined if the namespace in the name is not a reversed domain. */
function publisherOf(name: string): string | undefined {
  return toPublisher(name.slice(0, Math.max(0, name.indexOf('/'))));
}

/** Reverses a namespace to a domain; undefined if it is not a reversed domain of two or more labels. */
export function toPublisher(namespace: string): string | undefined {
  const labels = namespace.split('.');
  const isDomain = labels.length > 1 && namespace.length <= MAX_DOMAIN && labels.every((label) => LABEL.test(label));
  return isDomain ? labels.toReversed().join('.') : undefined;
}

/** The meaning of an ARD identifier. */
export type ReadIdentifier =
  | { readonly kind: 'server'; readonly name: string }
  /** A well-formed identifier that no server can have. */
  | { readonly kind: 'other' }
  | { readonly kind: 'malformed' };

/** Parses an identifier: the inverse of {@link toIdentifier}. */
export function readIdentifier(text: string): ReadIdentifier {
  const [, publisher = '', rest = ''] = IDENTIFIER.exec(text) ?? [];
  if (publisher === '') return { kind: 'malformed' };
  const [, kind, leaf, ...more] = rest.split(':');
  const name = `${publisher.split('.').toReversed().join('.')}/${leaf ?? ''}`;
  const isServer = kind === KIND && leaf !== undefined && more.length === 0 && toIdentifier(name) !== undefined;
  return isServer ? { kind: 'server', name } : { kind: 'other' };
}

/**
 * Returns the identifier of a registry, based on the host that serves it. A host without a domain is treated as local.
 */
export function registryIdentifier(host: string, registry: string): string {
  const labels = host.split('.');
  const isDomain = !IP_ADDRESS.test(host) && labels.length > 1 && labels.every((label) => LABEL.test(label));
  return `urn:air:${isDomain ? host : 'agent.localhost'}:registry:${registry}`;
}
