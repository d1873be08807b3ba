import fc from 'fast-check';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { toFailure as toActivityFailure } from '#activities/failure.js';
import { formatFault, parseWithFaults } from '#spec/spec-fault.js';
import { RegistryError } from '#domain/registry-error.js';
import { gitSource } from '../git.source.js';
import { toFailure } from './failure.js';
import { displayUrl, toRemote } from './remote.js';

const printable = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 6,
});

/** Places where a password can appear in a URL, raw or percent-encoded. */
const FORMS: readonly ((password: string) => string)[] = [
  (password) => `https://user:${password}@git.example.com/x.git`,
  (password) => `http://${password}@git.example.com:8080/x.git`,
  (password) => `https://user:12${password}@git.example.com/x.git`,
  (password) => `ssh://git:${password}@git.example.com/x.git`,
  (password) => `https://user:${encodeURIComponent(password)}@git.example.com/x.git`,
];

/** Returns everything about a repository that may leave this process, as one string. */
function outputsOf(repository: string): string {
  const root = z.strictObject({ git: gitSource.spec });
  const parsed = parseWithFaults(root, { git: { repository } });
  if ('faults' in parsed) return parsed.faults.map(formatFault).join('\n');
  const spec = parsed.value.git;
  const outputs = [gitSource.address(spec), displayUrl(repository)];
  const failure = (error: unknown) => JSON.stringify(toActivityFailure(error)) + String(toActivityFailure(error));
  try {
    const remote = toRemote(repository, { urlRewrites: [], allowLocalGit: false });
    outputs.push(remote.url, remote.name, remote.origin, remote.host);
    for (const said of ['weird', 'unable to access']) {
      outputs.push(toFailure(remote, `fatal: ${said} '${repository}': no\n`).message);
    }
  } catch (error) {
    outputs.push((error as Error).message, failure(error));
  }
  outputs.push(failure(new RegistryError('FetchFailed', `cannot read ${repository} now`)));
  return outputs.join('\n');
}

/** Passwords that are accepted, and passwords that are refused, with one for each reason. */
const OTHERS = ['Zq0Zq0Zq0', 'Zq0 Zq0', 'Zq0/Zq0', 'Zq0@Zq0', 'Zq0%Zq0', '@:/ #?'];

it('never shows four characters of a password in an address', () => {
  fc.assert(
    fc.property(printable, fc.constantFrom(...FORMS), (password, form) => {
      const harmless = OTHERS.map((other) => outputsOf(form(other))).join('\n');
      const outputs = outputsOf(form(password));
      for (let at = 0; at + 4 <= password.length; at++) {
        const part = password.slice(at, at + 4);
        // The part appears in a message by chance.
        if (harmless.includes(part)) continue;
        expect(outputs).not.toContain(part);
      }
    }),
    {
      numRuns: 3_000,
      examples: FORMS.flatMap((form) =>
        [' or      ', '//!!$$!$', '://!!$$!$'].map((password) => [password, form] as const),
      ),
    },
  );
});

it.each(['p/w', '//pw', '://pw', 'p#w', 'p?w', 'p@w', 'p\\w', 'p w', '12/w', '12#w'])(
  'rejects a password that could be mistaken for another part: %s',
  (password) => {
    const given = { repository: `https://user:${password}@git.example.com/x.git` };
    expect(gitSource.spec.safeParse(given).error?.issues[0]?.message).toContain('percent-encode');
  },
);

it.each([
  'https://git.example.com/a%40b/x.git',
  'https://user:p%2Fw@git.example.com/x',
  'git@git.example.com:a/x.git',
  'ssh://git@h/x',
  'forgejo@git.example.com:a/x.git',
  'a.b-c_d@git.example.com:x',
])('accepts %s', (repository) => expect(gitSource.spec.safeParse({ repository }).success).toBe(true));
