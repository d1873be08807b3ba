import type { IncomingMessage } from 'node:http';
import type { Caller } from './caller.js';

/** What a request was admitted to. */
export interface GrantedAccess {
  /** Undefined for anonymous callers. */
  readonly caller?: Caller;
  /** The sources that the answer may be made of; all when undefined. The same set for the same view, to be cached by. */
  readonly visibleSources?: ReadonlySet<string>;
}

const GRANTED = Symbol('access that was granted');

type AdmittedMessage = IncomingMessage & { [GRANTED]?: GrantedAccess };

/** Returns true if the request was admitted before. */
export function isAdmitted(message: AdmittedMessage): boolean {
  return message[GRANTED] !== undefined;
}

export function grantAccess(message: AdmittedMessage, access: GrantedAccess): void {
  message[GRANTED] = access;
}

/** Returns the access that a guard granted; a request that no guard has admitted sees nothing that is guarded. */
export function grantedAccess(message: AdmittedMessage): GrantedAccess {
  return message[GRANTED] ?? NOTHING;
}

const NOTHING: GrantedAccess = { visibleSources: new Set() };
