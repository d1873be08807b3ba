import { RegistryError } from '#domain/registry-error.js';
import type { Destiny } from '#domain/registry-error.js';
import type { Reason } from '#domain/reasons.js';
import { ForbiddenAddress } from '#http/forbidden-address.js';
import type { Remote } from './remote.js';

interface Fault {
  readonly pattern: RegExp;
  readonly reason: Reason;
  readonly destiny: Destiny;
  /** Follows the repository's name. */
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
  says: 'cannot be reached: its host does not answer in time.',
};

/**
 * What git, curl, ssh and the big hosts write to standard error (with LC_ALL=C), most specific first. Told in our own words, because theirs
 * carry the rewritten address.
 */
const FAULTS: readonly Fault[] = [
  {
    pattern: /could not read (Username|Password)|Authentication failed|HTTP Basic: Access denied|error: 401/i,
    reason: 'AuthFailed',
    destiny: 'wait',
    says: 'wants other credentials, or does not exist: check git.repository and git.auth.',
  },
  // ssh prints this just before it is refused for want of a key.
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
    says: 'belongs to another user of this machine, and git does not read it then: change its owner.',
  },
  {
    pattern:
      /repository .* not found|error: 404|does not appear to be a git repository|Repository not found|does not exist/i,
    reason: 'RepositoryNotFound',
    destiny: 'wait',
    says: 'does not exist, or is hidden from these credentials: check git.repository and git.auth.',
  },
  {
    pattern: /not valid: is this a git repository/i,
    reason: 'RepositoryNotFound',
    destiny: 'wait',
    says: 'is not a git repository, though something answers there: check git.repository.',
  },
  {
    pattern: /SSL certificate|certificate verif|server certificate|unable to get local issuer/i,
    reason: 'Unreachable',
    destiny: 'wait',
    says: 'shows a certificate that is not trusted: name its authority in git.caCertRef, or for all sources in NODE_EXTRA_CA_CERTS.',
  },
  UNKNOWN_HOST,
  NO_CONNECTION,
  TIMED_OUT,
  {
    pattern: /error: (429|5\d\d)/i,
    reason: 'Unreachable',
    destiny: 'retry',
    says: 'cannot be read now: its host answers with an error of its own.',
  },
  {
    pattern:
      /hung up|early EOF|RPC failed|Connection (reset|closed)|Empty reply|unexpected disconnect|unable to access|Could not read from remote/i,
    reason: 'Unreachable',
    destiny: 'retry',
    says: 'cannot be read: the connection breaks off.',
  },
  {
    pattern: /transport '.*' not allowed/i,
    reason: 'ValidationFailed',
    destiny: 'stop',
    says: 'leads to a protocol that is not allowed: give the final https:// or ssh:// address.',
  },
  {
    pattern: /No space left on device|Disk quota exceeded/i,
    reason: 'FetchFailed',
    destiny: 'retry',
    says: 'cannot be kept: the disk of this process is full.',
  },
];

/** The server does not hand out what was asked for by its object id; other ways to it may still be open. */
const REFUSED_OBJECT =
  /unadvertised object|not our ref|want \w+ not valid|couldn't find remote ref|no such remote ref/i;

/** git ran into a limit of `libs/subprocess`: out of memory, or a child of it ended by SIGXCPU, SIGXFSZ or SIGKILL. */
const LIMIT_HIT =
  /Out of memory|out of memory|malloc failed|mmap failed|died of signal (9|24|25)\b|Cannot allocate memory/;

export function hitLimit(stderr: string): boolean {
  return LIMIT_HIT.test(stderr);
}

export function tooHeavy(remote: Remote, cause?: unknown): RegistryError {
  const message = `${remote.name} cannot be read within the memory and time that git gets: its answers are too large. Use a smaller repository.`;
  return new RegistryError('FetchFailed', message, 'wait', { cause });
}

/** Says in our own words, without addresses or secrets of theirs, why git failed. */
export function toFailure(remote: Remote, stderr: string): RegistryError {
  if (REFUSED_OBJECT.test(stderr)) {
    return new RegistryError('RefNotFound', `${remote.name} does not hand out the commit that was asked for.`);
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

/** Returns the failure for a connection that this process could not make for git. An error that says nothing about it is returned as it is. */
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

/** Attempts at several addresses end in an AggregateError, whose parts have the codes. */
function codeOf(error: unknown): string | undefined {
  const { code, errors } = error as { code?: unknown; errors?: unknown[] };
  return typeof code === 'string' ? code : errors?.map(codeOf).find((each) => each !== undefined);
}

/** `user@host:7999/path` names a folder, not a port, which is easily overlooked. */
function sshHint({ url, port }: Remote): string {
  if (url.includes('://')) return '';
  return ` ssh was tried at port ${port}; an address with another port has the form ssh://user@host:port/path.`;
}

/** An scp-like address whose path begins like a port. */
const PORT_LIKE = /^[\w.-]+@[\w.-]+:\d+\//;

/** Git's last complaint on one line. */
function quotable(remote: Remote, stderr: string): string {
  const lines = stderr.split(/[\r\n]+/).filter((line) => /^(fatal|error): /.test(line));
  const line = (lines.at(-1) ?? '').replace(/^\w+: /, '').replaceAll(remote.url, remote.name);
  return line
    .replace(/\/\/\S*@/g, '//')
    .replace(/\p{Cc}/gu, ' ')
    .slice(0, 200);
}
