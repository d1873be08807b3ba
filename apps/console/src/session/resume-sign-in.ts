import type { ConsoleInfo } from '../api/console.js';
import { words } from '../words.js';
import { sessionFault } from './session.js';
import { isSignInAnswer, wasSignedIn } from './sign-in-traces.js';

/**
 * Finishes a sign-in whose answer is in the address, or starts one without questions where this tab had been signed in
 * before a reload. The library is loaded only for that.
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
