/**
 * Why a publication is refused:
 * - `malformed`: the body is not what was asked for
 * - `invalid`: it is no valid server.json
 * - `forbidden`: nothing, or not this name, may be published here
 * - `ambiguous`: the address stands for several managed sources
 * - `unknown`: there is no such version
 * - `conflict`: the version exists or existed
 */
export type PublishRefusalKind = 'malformed' | 'invalid' | 'forbidden' | 'ambiguous' | 'unknown' | 'conflict';

/** A publication or change of a managed source that is refused; the message says why and what to do. */
export class PublishRefused extends Error {
  constructor(
    readonly kind: PublishRefusalKind,
    message: string,
  ) {
    super(message);
    this.name = 'PublishRefused';
  }
}
