import { useEffect, useRef, useState } from 'preact/hooks';
import { consoleInfo } from '../api/console.js';
import type { Login } from '../api/console.js';
import { me } from '../api/me.js';
import { useResource } from '../api/use-resource.js';
import { markSignedIn } from '../session/sign-in-traces.js';
import { session, sessionFault, signOut } from '../session/session.js';
import { useStore } from '../store.js';
import { words } from '../words.js';
import { ExternalLink } from './external-link.js';
import { Text } from './text.js';

export function SignInButton({ isPrimary = false }: { readonly isPrimary?: boolean }) {
  const info = useStore(consoleInfo);
  const [isOpen, setOpen] = useState(false);
  if (!info || info.mode === 'anonymous') return null;
  const { login } = info;
  return (
    <>
      <button
        type="button"
        class={isPrimary ? 'primary' : undefined}
        disabled={info.loginUnavailable === true && !login}
        title={info.loginUnavailable === true ? words.signIn.unavailable : undefined}
        onClick={() => (login ? void leaveToSignIn(login) : setOpen(true))}
      >
        {words.signIn.action}
      </button>
      {isOpen && <TokenDialog onClose={() => setOpen(false)} />}
    </>
  );
}

/** The last part of the header: the name of the signed-in user, or the button to sign in. */
export function Account() {
  const current = useStore(session);
  const caller = useStore(me);
  if (!current) return <SignInButton />;
  return (
    <>
      {caller && (
        <span class="account" title={words.signIn.as(caller.subject)}>
          <Text limit={60}>{caller.subject}</Text>
        </span>
      )}
      <button
        type="button"
        onClick={() => {
          markSignedIn(false);
          signOut();
        }}
      >
        {words.signIn.out}
      </button>
    </>
  );
}

export async function leaveToSignIn(login: Login): Promise<void> {
  try {
    const { startSignIn } = await import('../session/sign-in.js');
    await startSignIn(login, 'visible');
  } catch (error) {
    sessionFault.set(words.signIn.failed(error instanceof Error ? error.message : String(error)));
  }
}

const EXAMPLE = 'kubectl create token NAME --namespace NAMESPACE --audience AUDIENCE';

function TokenDialog({ onClose }: { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const adopt = (event: SubmitEvent) => {
    event.preventDefault();
    const field = new FormData(event.currentTarget as HTMLFormElement).get('token');
    const token = typeof field === 'string' ? field.trim().replace(/^Bearer\s+/i, '') : '';
    if (token === '') return;
    sessionFault.set(undefined);
    session.set({ token, ...expiryOf(token) });
    dialog.current?.close();
  };
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="token-title">
      <form method="dialog" onSubmit={adopt}>
        <h2 id="token-title">{words.signIn.dialogTitle}</h2>
        <p>{words.signIn.dialogText}</p>
        <label class="field">
          <span>{words.signIn.tokenLabel}</span>
          <input name="token" type="password" autocomplete="off" spellcheck={false} required />
        </label>
        <details>
          <summary>{words.signIn.tokenHow}</summary>
          <p>{words.signIn.tokenKubernetes}</p>
          <pre>{EXAMPLE}</pre>
          <Issuers />
        </details>
        <div class="actions">
          <button type="button" onClick={() => dialog.current?.close()}>
            {words.cancel}
          </button>
          <button type="submit" class="primary">
            {words.signIn.action}
          </button>
        </div>
      </form>
    </dialog>
  );
}

function Issuers() {
  const { data } = useResource<{ readonly authorization_servers?: readonly string[] }>(
    '.well-known/oauth-protected-resource',
  );
  const issuers = data?.authorization_servers ?? [];
  if (issuers.length === 0) return <p>{words.signIn.tokenMetadata}</p>;
  return (
    <>
      <p>{words.signIn.tokenIssuers}</p>
      <ul>
        {issuers.map((issuer) => (
          <li key={issuer}>
            <ExternalLink url={issuer} />
          </li>
        ))}
      </ul>
    </>
  );
}

/**
 * Reads the expiry time of a JWT, for the banner only. The token is not verified here, because only the server decides
 * whether it is valid.
 */
function expiryOf(token: string): { expiresAtMs?: number } {
  try {
    const payload = token.split('.')[1] ?? '';
    const claims = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as { exp?: unknown };
    return typeof claims.exp === 'number' ? { expiresAtMs: claims.exp * 1000 } : {};
  } catch {
    return {};
  }
}
