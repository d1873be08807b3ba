import { connection } from '../api/connection.js';
import { consoleInfo } from '../api/console.js';
import { SOURCES_PATH } from '../api/sources.js';
import type { SourceList } from '../api/sources.js';
import { useResource } from '../api/use-resource.js';
import { useServerNow } from '../clock.js';
import { formats } from '../format.js';
import { session, sessionFault } from '../session/session.js';
import { useMayReadState } from '../session/use-may-read-state.js';
import { useStore } from '../store.js';
import { words } from '../words.js';
import { leaveToSignIn } from './sign-in.js';
import { Text } from './text.js';

const READINESS_MS = 30_000;
const SIGN_IN_WARNING_MS = 60_000;

/** Bars below the header that report problems. */
export function ConnectionBars() {
  return (
    <div class="bars">
      <SilenceBar />
      <StaleBar />
      <SignInBar />
    </div>
  );
}

function SilenceBar() {
  const { isSilent, lastAnswerMs } = useStore(connection);
  const now = useServerNow(5_000);
  if (!isSilent) return null;
  return (
    <p class="bar bad" role="status">
      {words.connection.silent(formats.relative(lastAnswerMs, now))}
    </p>
  );
}

/** Lists the sources with failing syncs. If there are none, shows the reason that the server gives. */
function StaleBar() {
  const { staleSinceMs } = useStore(connection);
  const mayRead = useMayReadState();
  const isStale = staleSinceMs !== undefined;
  const { data: list } = useResource<SourceList>(isStale && mayRead ? SOURCES_PATH : undefined, {
    everyMs: READINESS_MS,
  });
  const failing = (list?.sources ?? []).flatMap(({ name, syncStatus }) => (syncStatus.attemptCount > 0 ? [name] : []));
  const { data } = useResource<{ readonly detail?: string }>(
    isStale && failing.length === 0 ? 'readiness' : undefined,
    { everyMs: READINESS_MS },
  );
  if (!isStale) return null;
  const detail =
    failing.length > 0
      ? words.connection.failing(formats.list(failing), failing.length)
      : data?.detail && words.connection.detail(data.detail);
  return (
    <p class="bar warn" role="status">
      {words.connection.stale(formats.dateTime(staleSinceMs))}{' '}
      {detail !== undefined && <Text limit={400}>{detail}</Text>} <a href="#/sources">{words.sources}</a>
    </p>
  );
}

function SignInBar() {
  const current = useStore(session);
  const fault = useStore(sessionFault);
  const info = useStore(consoleInfo);
  useServerNow(1_000);
  const leftMs = (current?.expiresAtMs ?? Infinity) - Date.now();
  const text =
    current && leftMs <= SIGN_IN_WARNING_MS ? words.signIn.expires(Math.max(0, Math.ceil(leftMs / 1000))) : fault;
  if (text === undefined) return null;
  const login = info?.login;
  return (
    <p class="bar warn" role={current ? undefined : 'alert'}>
      <Text>{text}</Text>{' '}
      {login && (
        <button type="button" class="link" onClick={() => void leaveToSignIn(login)}>
          {words.signIn.again}
        </button>
      )}
    </p>
  );
}
