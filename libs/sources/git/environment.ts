import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getCACertificates } from 'node:tls';
import type { SourceContext } from '../source.js';
import type { Access } from './access.js';
import type { Remote } from './remote.js';

/** What a child process may inherit; above all nothing that begins with GIT_ or SSH_. */
const INHERITED =
  /^(PATH|HTTPS?_PROXY|https?_proxy|ALL_PROXY|all_proxy|NO_PROXY|no_proxy|SSL_CERT_FILE|SSL_CERT_DIR|TMPDIR)$/;

const USUAL_PATH = '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin';

/**
 * The whole environment of each git command: nothing of this machine's configuration, nothing that runs code, one protocol, and the
 * credentials for one origin. Files with secrets go to `home`, which ends with the call.
 */
export async function gitEnvironment(
  remote: Remote,
  access: Access,
  directory: string,
  home: string,
  { settings }: SourceContext,
): Promise<Record<string, string>> {
  const inherited = Object.entries(settings.environment ?? {}).filter(([name, value]) => value && INHERITED.test(name));
  const config = [
    // No code of ours or theirs runs beside git itself.
    ['core.hooksPath', '/dev/null'],
    ['core.fsmonitor', 'false'],
    ['core.askPass', ''],
    ['credential.helper', ''],
    ['fetch.recurseSubmodules', 'false'],
    ['gc.auto', '0'],
    ['maintenance.auto', 'false'],
    // The data is checked on arrival; these three faults are old, common and harmless.
    ['transfer.fsckObjects', 'true'],
    ['fetch.fsck.zeroPaddedFilemode', 'ignore'],
    ['fetch.fsck.missingSpaceBeforeDate', 'ignore'],
    ['fetch.fsck.badTimezone', 'ignore'],
    // A fetch always keeps a pack, which is indexed as a stream; every cache and window of git is small. The bounds that
    // hold whatever a server sends are those of the process: see MEMORY in git.ts.
    ['fetch.unpackLimit', '1'],
    ['core.bigFileThreshold', '16m'],
    ['core.deltaBaseCacheLimit', '16m'],
    ['core.packedGitWindowSize', '16m'],
    ['core.packedGitLimit', '64m'],
    ['pack.threads', '1'],
    ['pack.windowMemory', '16m'],
    ['pack.deltaCacheSize', '16m'],
    ['http.postBuffer', '1m'],
    ['http.maxRequests', '1'],
    ['protocol.allow', 'never'],
    [`protocol.${remote.scheme}.allow`, 'always'],
    // The first request only, where hosts redirect renamed repositories.
    ['http.followRedirects', 'initial'],
    ['http.lowSpeedLimit', '500'],
    ['http.lowSpeedTime', '30'],
  ];
  const secrets: Record<string, string> = {};
  const credentials = access.credentials ?? remote.credentials;
  if (credentials && remote.origin) {
    // Bound to the origin, so that a redirect elsewhere gets nothing; the values are seen neither in argv nor on disk.
    config.push([`credential.${remote.origin}.helper`, CREDENTIAL_HELPER]);
    secrets['SOURCE_GIT_USERNAME'] = credentials.username;
    secrets['SOURCE_GIT_PASSWORD'] = credentials.password;
  }
  const authorities = access.caCertificates ?? (await siteAuthorities(settings));
  if (authorities) config.push(['http.sslCAInfo', await privateFile(home, 'ca.crt', authorities)]);
  if (access.ssh) {
    const key = await privateFile(home, 'id', access.ssh.key);
    const knownHosts = await privateFile(home, 'known_hosts', access.ssh.knownHosts);
    secrets['GIT_SSH_COMMAND'] = sshCommand(key, knownHosts);
    secrets['GIT_SSH_VARIANT'] = 'ssh';
  }
  return {
    PATH: USUAL_PATH,
    ...(Object.fromEntries(inherited) as Record<string, string>),
    HOME: home,
    XDG_CONFIG_HOME: home,
    LC_ALL: 'C',
    // One pool of memory per process: others would only use up its address space.
    MALLOC_ARENA_MAX: '1',
    GIT_DIR: directory,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    // A redirect must not lead to a less guarded protocol than the one that was asked for.
    GIT_ALLOW_PROTOCOL: remote.scheme === 'http' ? 'http:https' : remote.scheme,
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_CONFIG_COUNT: String(config.length),
    ...Object.fromEntries(
      config.flatMap(([key = '', value = ''], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
    ...secrets,
  };
}

/**
 * Node trusts what NODE_EXTRA_CA_CERTS names beside the system's authorities; git knows one file, which stands in their
 * place. A file that cannot be read counts as none: Node has warned of it at the start.
 */
async function siteAuthorities({ environment }: SourceContext['settings']): Promise<string | undefined> {
  const file = environment?.['NODE_EXTRA_CA_CERTS'];
  const authorities = file && (await readFile(file, 'utf8').catch(() => ''));
  return authorities ? [authorities, ...getCACertificates('system')].join('\n') : undefined;
}

/** Runs in git's shell; see gitcredentials(7). */
const CREDENTIAL_HELPER =
  '!f() { if test "$1" = get; then printf "username=%s\\npassword=%s\\n" "$SOURCE_GIT_USERNAME" "$SOURCE_GIT_PASSWORD"; fi; }; f';

/** A host that is not in known_hosts is refused; nothing is asked for, no configuration of this machine is read. */
function sshCommand(key: string, knownHosts: string): string {
  const options = [
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    'PreferredAuthentications=publickey',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile="${knownHosts}"`,
    'GlobalKnownHostsFile=/dev/null',
    'ClearAllForwardings=yes',
    'ConnectTimeout=15',
    'ServerAliveInterval=10',
    'ServerAliveCountMax=3',
  ];
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  return ['ssh', '-F', '/dev/null', '-i', quoted(key), ...options.flatMap((option) => ['-o', quoted(option)])].join(
    ' ',
  );
}

async function privateFile(directory: string, name: string, content: string | Uint8Array): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content, { mode: 0o600 });
  return path;
}
