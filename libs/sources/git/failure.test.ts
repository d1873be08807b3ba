import { expect, it } from 'vitest';
import { toConnectionFailure, toFailure } from './failure.js';
import { toRemote } from './remote.js';

const remoteOf = (repository: string) => toRemote(repository, { urlRewrites: [], allowLocalGit: false });
const FORM = 'ssh was tried at port 22; an address with another port has the form ssh://user@host:port/path.';

it.each(['ECONNREFUSED', 'EHOSTUNREACH', 'ETIMEDOUT'])('names the way to another port on %s', (code) => {
  const failure = (repository: string) => toConnectionFailure(remoteOf(repository), { code });
  expect(failure('git@git.example.com:7999/team/x.git')).toMatchObject({ message: expect.stringContaining(FORM) });
  expect(failure('forgejo@git.example.com:team/x.git')).toMatchObject({ message: expect.stringContaining(FORM) });
  expect(failure('ssh://git@git.example.com:7999/x')).not.toMatchObject({ message: expect.stringContaining(FORM) });
});

it('names it for a path that begins like a port whatever the host says', () => {
  const said = "fatal: '7999/team/x.git' does not appear to be a git repository";
  const message = (repository: string) => toFailure(remoteOf(repository), said).message;
  expect(message('git@git.example.com:7999/team/x.git')).toContain(FORM);
  expect(message('git@git.example.com:team/x.git')).not.toContain('port');
  expect(message('ssh://git@git.example.com:7999/x')).not.toContain('port');
});
