import type { Reason } from '#domain/reasons.js';
import { RegistryError } from '#domain/registry-error.js';
import type { SourceSettings } from './context.js';

/** Thrown for a git repository without a default branch. To git, some web pages look the same. */
export class NothingFound extends RegistryError {}

/**
 * Failures that reveal what listens at an address. Other failures occur only after the peer has turned out to be a
 * source.
 */
const REVEALING: ReadonlySet<Reason> = new Set<Reason>([
  'Unreachable',
  'FetchFailed',
  'AuthFailed',
  'RepositoryNotFound',
  'FormatMismatch',
  'InvalidData',
]);

/**
 * Replaces every failure at a private address by one with the same reason, message and destiny, if the site requires
 * that (`concealedCause`). Otherwise the status of an MCPRegistry could be used as a port scanner of the cluster's
 * network. The cause is written to the log of this process.
 */
export async function concealPrivate<Result>(
  name: string,
  {
    settings: { concealedCause },
  }: { readonly settings: { readonly concealedCause?: SourceSettings['concealedCause'] } },
  isPrivate: () => boolean,
  work: Promise<Result>,
): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (!concealedCause || !isPrivate() || !isRevealing(error)) throw error;
    concealedCause(error.message);
    const message =
      `${name} cannot be read. It has a private address, so the cause is only in the log of this registry: check the address, ` +
      'the port, the certificate authority, the credentials and the network policies.';
    throw new RegistryError('Unreachable', message, 'retry');
  }
}

function isRevealing(error: unknown): error is RegistryError {
  return error instanceof NothingFound || (error instanceof RegistryError && REVEALING.has(error.reason));
}
