import type { RequestFault } from '../api/request.js';
import { words } from '../words.js';
import { Notice } from './notice.js';
import { SignInButton } from './sign-in.js';
import { Text } from './text.js';

/** Shows why something cannot be displayed: a sign-in is needed, or a request failed, perhaps temporarily. */
export function Fault({ fault, onRetry }: { readonly fault: RequestFault; readonly onRetry?: () => void }) {
  if (fault.status === 401) return <SignInNeeded />;
  return (
    <Notice title={titleOf(fault)}>
      <p>
        <Text>{fault.message}</Text>
      </p>
      {fault.status === 503 && (
        <p>
          {words.connection.notYetHint} <a href="#/sources">{words.sources}</a>
        </p>
      )}
      {onRetry && fault.status !== 403 && (
        <button type="button" onClick={onRetry}>
          {words.retry}
        </button>
      )}
    </Notice>
  );
}

/**
 * A 503 means, according to the server, that something is not available yet, such as a source that has never been
 * synced.
 */
function titleOf({ status }: RequestFault): string {
  if (status === 403) return words.signIn.forbidden;
  return status === 503 ? words.connection.notYet : words.connection.noAnswer;
}

export const SignInNeeded = () => (
  <Notice title={words.signIn.needed}>
    <p>{words.signIn.neededHint}</p>
    <SignInButton isPrimary />
  </Notice>
);
