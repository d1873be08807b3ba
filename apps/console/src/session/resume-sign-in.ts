import type { ConsoleInfo } from '../api/console.js';
import { words } from '../words.js';
import { sessionFault } from './session.js';
import { isSignInAnswer, wasSignedIn } from './sign-in-traces.js';

/**
 * Completes a sign-in if the URL is an authorization response, or signs in silently if this tab was signed in before a
 * reload. The OIDC library is loaded only in these cases.
 */
export async function resumeSignIn({ login }: ConsoleInfo): Promise<void> {
  const isAnswer = isSignInAnswer();
  if (!login || (!isAnswer && !wasSignedIn())) return;
  const { finishSignIn, startSignIn } = await import('./sign-in.js');
  try {
    if (isAnswer) await finishSignIn(login);
    else await startSignIn(login, 'silent');
  } catch (error) {
    sessionFault.set(words.signIn.failed(error instanceof Error ? error.message : String(error)));
  }
}
