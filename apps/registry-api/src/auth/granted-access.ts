import type { IncomingMessage } from 'node:http';
import type { Caller } from './caller.js';

/** What a request was let in for. */
export interface GrantedAccess {
  /** Undefined for everybody. */
  readonly caller?: Caller;
  /** The sources that the answer may be made of; all when undefined. The same set for the same view, to be cached by. */
  readonly visibleSources?: ReadonlySet<string>;
}

const GRANTED = Symbol('access that was granted');

type AdmittedMessage = IncomingMessage & { [GRANTED]?: GrantedAccess };

/** Whether somebody has let it in already. */
export function isAdmitted(message: AdmittedMessage): boolean {
  return message[GRANTED] !== undefined;
}

export function grantAccess(message: AdmittedMessage, access: GrantedAccess): void {
  message[GRANTED] = access;
}

/** Nobody in particular, for a request that no guard has looked at; it never gets to see anything that is guarded. */
export function grantedAccess(message: AdmittedMessage): GrantedAccess {
  return message[GRANTED] ?? NOTHING;
}

const NOTHING: GrantedAccess = { visibleSources: new Set() };
