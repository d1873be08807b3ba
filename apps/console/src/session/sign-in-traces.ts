/** Data that has to survive the redirect to the identity provider and back. It is deleted when it is used. */
export interface SignInTraces {
  readonly verifier: string;
  readonly state: string;
  readonly nonce: string;
  /** The fragment to return to after the sign-in. */
  readonly fragment: string;
  readonly isSilent: boolean;
}

const TRACES = 'mcp-registry-sign-in';
/** Key of the mark that this tab was signed in. It is not a secret and proves nothing. */
const MARK = 'mcp-registry-signed-in';

export function keepTraces(traces: SignInTraces): void {
  sessionStorage.setItem(TRACES, JSON.stringify(traces));
}

/** Returns the traces and deletes them. */
export function takeTraces(): SignInTraces | undefined {
  const kept = sessionStorage.getItem(TRACES);
  sessionStorage.removeItem(TRACES);
  return kept === null ? undefined : (JSON.parse(kept) as SignInTraces);
}

export function markSignedIn(isSignedIn: boolean): void {
  if (isSignedIn) sessionStorage.setItem(MARK, 'yes');
  else sessionStorage.removeItem(MARK);
}

export function wasSignedIn(): boolean {
  try {
    return sessionStorage.getItem(MARK) !== null;
  } catch {
    return false;
  }
}

/** Whether the current URL is an authorization response (RFC 6749 section 4.1.2). */
export function isSignInAnswer(): boolean {
  const parameters = new URLSearchParams(location.search);
  return parameters.has('state') && (parameters.has('code') || parameters.has('error'));
}
