import type { FastifyRequest } from 'fastify';
import type { OAuth } from '#config/auth-spec.js';
import { Problem } from '../http/problem.js';
import type { ServedRegistry } from '../served-registry.js';
import { invalidToken, loginWanted, malformedCredentials } from './challenge.js';
import type { ChallengeTerms } from './challenge.js';
import { readCredentials } from './credentials.js';
import { grantAccess } from './granted-access.js';
import type { GrantedAccess } from './granted-access.js';
import type { Requirement } from './requirement.js';

type GuardedRequest = FastifyRequest<{ Params: { source?: string } }>;

const EVERYTHING: GrantedAccess = {};

/** Decides who may do what; the same for every registry that this process serves. */
export class AccessControl {
  /** True, or throws the Problem that says why not. Takes no turn of the event loop for a token that is known. */
  admit(request: GuardedRequest, registry: ServedRegistry, requirement: Requirement): boolean | Promise<boolean> {
    const { auth } = registry;
    if (auth.mode === 'anonymous') {
      if (requirement === 'write') throw new Problem(403, WRITES_WANT_A_CALLER);
      grantAccess(request.raw, EVERYTHING);
      return true;
    }
    const terms = termsOf(auth.oauth);
    const credentials = readCredentials(request.raw);
    if (credentials.kind === 'malformed') throw malformedCredentials(terms, credentials.why);
    if (credentials.kind === 'bearer') throw invalidToken(terms);
    const open = requirement === 'read' ? openSources(auth.publicRead) : undefined;
    if (!open || !mayNameSource(open, request.params.source, registry)) throw loginWanted(terms);
    grantAccess(request.raw, { visibleSources: open });
    return true;
  }
}

const WRITES_WANT_A_CALLER =
  'this registry has auth.mode anonymous, and nothing is changed for a caller who is not known: set auth.mode to oauth';

function termsOf({ realm }: OAuth): ChallengeTerms {
  return { realm };
}

const openSets = new WeakMap<readonly string[], ReadonlySet<string>>();

/** Undefined when nothing is open. The same set each time, so that what is made for it can be kept. */
function openSources(publicRead: readonly string[]): ReadonlySet<string> | undefined {
  if (publicRead.length === 0) return undefined;
  const known = openSets.get(publicRead) ?? new Set(publicRead);
  openSets.set(publicRead, known);
  return known;
}

/** An open source, or all that are open: without a source in the path, or by the name of the registry. */
function mayNameSource(open: ReadonlySet<string>, source: string | undefined, { name }: ServedRegistry): boolean {
  return source === undefined || open.has(source) || source === name;
}
