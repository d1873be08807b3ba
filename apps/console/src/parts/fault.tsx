import type { RequestFault } from '../api/request.js';
import { words } from '../words.js';
import { Notice } from './notice.js';
import { SignInButton } from './sign-in.js';
import { Text } from './text.js';

/** Says why something cannot be shown: for want of a sign-in, or because of a fault that may pass. */
export function Fault({ fault, onRetry }: { readonly fault: RequestFault; readonly onRetry?: () => void }) {
  if (fault.status === 401) return <SignInNeeded />;
  return (
    <Notice title={fault.status === 403 ? words.signIn.forbidden : words.connection.noAnswer}>
      <p>
        <Text>{fault.message}</Text>
      </p>
      {onRetry && fault.status !== 403 && (
        <button type="button" onClick={onRetry}>
          {words.retry}
        </button>
      )}
    </Notice>
  );
}

export const SignInNeeded = () => (
  <Notice title={words.signIn.needed}>
    <p>{words.signIn.neededHint}</p>
    <SignInButton isPrimary />
  </Notice>
);
