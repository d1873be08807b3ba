import { RegistryError } from '#domain/registry-error.js';
import type { Destiny } from '#domain/registry-error.js';
import type { Reason } from '#domain/reasons.js';
import { ForbiddenAddress } from '#http/forbidden-address.js';
import type { Remote } from './remote.js';
import { withoutCredentials } from '#domain/without-credentials.js';

interface Fault {
  readonly pattern: RegExp;
  readonly reason: Reason;
  readonly destiny: Destiny;
  /** The rest of the message after the name of the repository. */
  readonly says: string;
}

const UNKNOWN_HOST: Fault = {
  pattern: /Could not resolve host|Name or service not known|Temporary failure in name resolution/i,
  reason: 'Unreachable',
  destiny: 'retry',
  says: 'cannot be reached: its host name is not known to DNS here.',
};

const NO_CONNECTION: Fault = {
  pattern: /Connection refused|Failed to connect|Couldn't connect|No route to host|Network is unreachable/i,
  reason: 'Unreachable',
  destiny: 'retry',
  says: 'cannot be reached: no connection to its host; check the address and network policies.',
};

const TIMED_OUT: Fault = {
  pattern: /timed out|too slow|timeout/i,
  reason: 'Unreachable',
  destiny: 'retry',
  says: 'cannot be reached: its host does not respond in time.',
};

/**
 * Error output of git, curl, ssh and the major hosts (with LC_ALL=C), most specific first. Messages are in our own
 * words, because the original ones contain the rewritten URL.
 */
const FAULTS: readonly Fault[] = [
  {
    pattern: /could not read (Username|Password)|Authentication failed|HTTP Basic: Access denied|error: 401/i,
    reason: 'AuthFailed',
    destiny: 'wait',
    says: 'rejects the credentials, or does not exist: check git.repository and git.auth.',
  },
  // ssh cannot load the key. This comes before `Permission denied`, which ssh prints next because it has no key to offer.
  {
    pattern: /error in libcrypto|invalid format|Load key/i,
    reason: 'AuthFailed',
    destiny: 'wait',
    says: 'cannot be reached with the key in git.auth.sshKeySecretRef: it must be an unencrypted OpenSSH private key.',
  },
  {
    pattern: /error: 403|Permission denied \(|Invalid username or|access denied/i,
    reason: 'AuthFailed',
    destiny: 'wait',
    says: 'refuses access: the credentials in git.auth lack the right to read it.',
  },
  {
    pattern: /Host key verification failed/i,
    reason: 'AuthFailed',
    destiny: 'wait',
    says: 'shows a host key that is not in git.auth.knownHostsSecretRef: add the line that ssh-keyscan prints, after checking it.',
  },
  {
    pattern: /dubious ownership/i,
    reason: 'FetchFailed',
    destiny: 'wait',
    says: 'belongs to another user of this machine, so git refuses to read it: change its owner.',
  },
  {
    pattern:
      /repository .{0,300} not found|error: 404|does not appear to be a git repository|Repository not found|does not exist/i,
    reason: 'RepositoryNotFound',
    destiny: 'wait',
    says: 'does not exist, or is hidden from these credentials: check git.repository and git.auth.',
  },
  {
    pattern: /not valid: is this a git repository/i,
    reason: 'RepositoryNotFound',
    destiny: 'wait',
    says: 'is not a git repository, although a server responds there: check git.repository.',
  },
  {
    pattern: /SSL certificate|certificate verif|server certificate|unable to get local issuer/i,
    reason: 'Unreachable',
    destiny: 'wait',
    says: 'has a certificate that is not trusted: add its authority to git.caCertRef, or for all sources to NODE_EXTRA_CA_CERTS.',
  },
  UNKNOWN_HOST,
  NO_CONNECTION,
  TIMED_OUT,
  {
    pattern: /error: (429|5\d\d)/i,
    reason: 'Unreachable',
    destiny: 'retry',
    says: 'cannot be read now: its host responds with a server error.',
  },
  {
    pattern:
      /hung up|early EOF|RPC failed|Connection (reset|closed)|Empty reply|unexpected disconnect|unable to access|Could not read from remote/i,
    reason: 'Unreachable',
    destiny: 'retry',
    says: 'cannot be read: the connection was closed early.',
  },
  {
    pattern: /transport '[^']*' not allowed/i,
    reason: 'ValidationFailed',
    destiny: 'stop',
    says: 'redirects to a protocol that is not allowed: use the final https:// or ssh:// URL.',
  },
  {
    pattern: /No space left on device|Disk quota exceeded/i,
    reason: 'FetchFailed',
    destiny: 'retry',
    says: 'cannot be stored: the disk of this process is full.',
  },
];

/**
 * Matches the message for a server that does not return a requested object by its id. Other ways to get the object may
 * still work.
 */
const REFUSED_OBJECT =
  /unadvertised object|not our ref|want \w+ not valid|couldn't find remote ref|no such remote ref/i;

/**
 * Matches the messages of a git that has reached a limit of `libs/subprocess`: it ran out of memory, or one of its
 * child processes was terminated by SIGXCPU, SIGXFSZ or SIGKILL.
 */
const LIMIT_HIT =
  /Out of memory|out of memory|malloc failed|mmap failed|died of signal (9|24|25)\b|Cannot allocate memory/;

export function hitLimit(stderr: string): boolean {
  return LIMIT_HIT.test(stderr);
}

export function tooHeavy(remote: Remote, cause?: unknown): RegistryError {
  const message = `${remote.name} cannot be read within the memory and time limits of git: its responses are too large. Use a smaller repository.`;
  return new RegistryError('FetchFailed', message, 'wait', { cause });
}

/** Returns an error that says why git failed, in our own words, without the URLs or secrets in git's messages. */
export function toFailure(remote: Remote, stderr: string): RegistryError {
  if (REFUSED_OBJECT.test(stderr)) {
    return new RegistryError('RefNotFound', `${remote.name} does not send the requested commit.`);
  }
  const fault = FAULTS.find(({ pattern }) => pattern.test(stderr));
  const hint = PORT_LIKE.test(remote.url) ? sshHint(remote) : '';
  if (fault) return new RegistryError(fault.reason, `${remote.name} ${fault.says}${hint}`, fault.destiny);
  const detail = quotable(remote, stderr);
  return new RegistryError(
    'FetchFailed',
    `${remote.name} cannot be fetched${detail && `: git says "${detail}"`}.`,
    'retry',
  );
}

/**
 * Returns the failure for a connection that this process could not make for git. An error that is not a connection
 * error is returned unchanged.
 */
export function toConnectionFailure(remote: Remote, error: unknown): unknown {
  if (error instanceof ForbiddenAddress) {
    return new RegistryError('FetchFailed', `${remote.name} ${error.message}.`, 'wait', { cause: error });
  }
  const code = codeOf(error);
  if (code === undefined) return error;
  const fault = FAULT_OF_CODE.get(code) ?? NO_CONNECTION;
  const port = fault !== UNKNOWN_HOST && remote.scheme === 'ssh' ? sshHint(remote) : '';
  return new RegistryError(fault.reason, `${remote.name} ${fault.says}${port}`, fault.destiny, { cause: error });
}

const FAULT_OF_CODE: ReadonlyMap<string, Fault> = new Map([
  ['ENOTFOUND', UNKNOWN_HOST],
  ['EAI_AGAIN', UNKNOWN_HOST],
  ['ETIMEDOUT', TIMED_OUT],
]);

/**
 * Returns the code of an error. If several addresses were tried, the error is an AggregateError, and its inner errors
 * have the codes.
 */
function codeOf(error: unknown): string | undefined {
  const { code, errors } = error as { code?: unknown; errors?: unknown[] };
  return typeof code === 'string' ? code : errors?.map(codeOf).find((each) => each !== undefined);
}

/**
 * Returns a hint about the port. In `user@host:7999/path`, 7999 is a folder, not a port, which is easily overlooked.
 */
function sshHint({ url, port }: Remote): string {
  if (url.includes('://')) return '';
  return ` ssh was tried at port ${port}; a URL with another port has the form ssh://user@host:port/path.`;
}

/** An scp-like address whose path starts with what looks like a port. */
const PORT_LIKE = /^[\w.-]+@[\w.-]+:\d+\//;

/** Returns git's last error message on one line. */
function quotable(remote: Remote, stderr: string): string {
  const lines = stderr.split(/[\r\n]+/).filter((line) => /^(fatal|error): /.test(line));
  const line = (lines.at(-1) ?? '').replace(/^\w+: /, '').replaceAll(remote.url, remote.name);
  return withoutCredentials(line)
    .replace(/\p{Cc}/gu, ' ')
    .slice(0, 200);
}
