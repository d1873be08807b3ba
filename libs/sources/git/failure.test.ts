import { expect, it } from 'vitest';
import { toConnectionFailure, toFailure } from './failure.js';
import { toRemote } from './remote.js';

const remoteOf = (repository: string) => toRemote(repository, { urlRewrites: [], allowLocalGit: false });
const FORM = 'ssh was tried at port 22; a URL with another port has the form ssh://user@host:port/path.';

it.each(['ECONNREFUSED', 'EHOSTUNREACH', 'ETIMEDOUT'])('explains how to use another port on %s', (code) => {
  const failure = (repository: string) => toConnectionFailure(remoteOf(repository), { code });
  expect(failure('git@git.example.com:7999/team/x.git')).toMatchObject({ message: expect.stringContaining(FORM) });
  expect(failure('forgejo@git.example.com:team/x.git')).toMatchObject({ message: expect.stringContaining(FORM) });
  expect(failure('ssh://git@git.example.com:7999/x')).not.toMatchObject({ message: expect.stringContaining(FORM) });
});

it('explains it for a path that starts like a port, whatever the host reports', () => {
  const said = "fatal: '7999/team/x.git' does not appear to be a git repository";
  const message = (repository: string) => toFailure(remoteOf(repository), said).message;
  expect(message('git@git.example.com:7999/team/x.git')).toContain(FORM);
  expect(message('git@git.example.com:team/x.git')).not.toContain('port');
  expect(message('ssh://git@git.example.com:7999/x')).not.toContain('port');
});

/** Messages of OpenSSH 9 and 10 about a key that they cannot use, printed before the host refuses the login. */
const UNUSABLE_KEYS = [
  'Load key "/tmp/key": error in libcrypto',
  'Load key "/tmp/key": invalid format',
  'Load key "/tmp/key": incorrect passphrase supplied to decrypt private key',
  'Load key "/tmp/key": unknown or unsupported key type',
];

it.each(UNUSABLE_KEYS)('distinguishes a key that ssh cannot use from one that the host rejects: %s', (said) => {
  const refused = 'git@git.example.com: Permission denied (publickey).';
  const message = (stderr: string) => toFailure(remoteOf('git@git.example.com:team/x.git'), stderr).message;
  expect(message(`${said}\r\n${refused}`)).toContain('it must be an unencrypted OpenSSH private key');
  expect(message(refused)).toContain('lack the right to read it');
});
