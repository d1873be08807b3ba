import type { IncomingMessage } from 'node:http';
import type { Caller } from './caller.js';

/** The access that was granted to a request. */
export interface GrantedAccess {
  /** Undefined for anonymous callers. */
  readonly caller?: Caller;
  /**
   * The sources that the response may contain; all when undefined. Always the same set object for the same view, so
   * that it can be used as a cache key.
   */
  readonly visibleSources?: ReadonlySet<string>;
  /** The names of sources and views that the request may refer to; all when undefined. */
  readonly visibleNames?: ReadonlySet<string>;
}

const GRANTED = Symbol('access that was granted');

type AdmittedMessage = IncomingMessage & { [GRANTED]?: GrantedAccess };

/** Returns whether the request has already been admitted. */
export function isAdmitted(message: AdmittedMessage): boolean {
  return message[GRANTED] !== undefined;
}

export function grantAccess(message: AdmittedMessage, access: GrantedAccess): void {
  message[GRANTED] = access;
}

/** Returns the access that a guard has granted. A request that no guard has admitted sees nothing that is guarded. */
export function grantedAccess(message: AdmittedMessage): GrantedAccess {
  return message[GRANTED] ?? NOTHING;
}

const NOTHING: GrantedAccess = { visibleSources: new Set() };
