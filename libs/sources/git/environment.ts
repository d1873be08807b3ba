import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getCACertificates } from 'node:tls';
import type { SourceContext } from '../context.js';
import type { Access } from './access.js';
import type { Remote } from './remote.js';

/**
 * Environment variables that a child process may inherit. Most importantly, none that starts with GIT_ or SSH_. The
 * proxy settings are added by the route.
 */
const INHERITED = /^(PATH|SSL_CERT_FILE|SSL_CERT_DIR|TMPDIR)$/;

const USUAL_PATH = '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin';

/** A key of git's configuration with its value. */
export type Setting = readonly [key: string, value: string];

/** The environment of every git command for one repository. */
export interface GitSetup {
  readonly config: readonly Setting[];
  readonly variables: Readonly<Record<string, string>>;
  readonly ssh?: SshFiles;
}

/** Paths of the private key and of the trusted host keys. */
export interface SshFiles {
  readonly key: string;
  readonly knownHosts: string;
}

/**
 * Returns the configuration and environment for git commands: nothing from this machine's configuration, nothing that
 * runs code, a single protocol, and the credentials for one origin. Files with secrets are written to `home`, which the
 * caller removes.
 */
export async function prepareGit(
  remote: Remote,
  access: Access,
  directory: string,
  home: string,
  { settings }: SourceContext,
): Promise<GitSetup> {
  const config = safeSettings(remote);
  const secrets: Record<string, string> = {};
  const credentials = access.credentials ?? remote.credentials;
  if (credentials && remote.origin) {
    // The helper is bound to the origin, so that a redirect to another host gets no credentials. The values appear
    // neither in argv nor on disk.
    config.push([`credential.${remote.origin}.helper`, CREDENTIAL_HELPER]);
    secrets['SOURCE_GIT_USERNAME'] = credentials.username;
    secrets['SOURCE_GIT_PASSWORD'] = credentials.password;
  }
  const authorities = access.caCertificates ?? (await siteAuthorities(settings));
  if (authorities) config.push(['http.sslCAInfo', await privateFile(home, 'ca.crt', authorities)]);
  const ssh = access.ssh && {
    key: await privateFile(home, 'id', access.ssh.key),
    knownHosts: await privateFile(home, 'known_hosts', access.ssh.knownHosts),
  };
  const variables = {
    ...safeVariables(remote, settings),
    HOME: home,
    XDG_CONFIG_HOME: home,
    GIT_DIR: directory,
    ...secrets,
  };
  return { config, variables, ...(ssh && { ssh }) };
}

/**
 * Returns the settings of every command. They allow no code to run besides git, and limit its memory and its protocols.
 */
function safeSettings(remote: Remote): Setting[] {
  return [
    // No hooks or helpers run besides git itself, neither ours nor those of the repository.
    ['core.hooksPath', '/dev/null'],
    ['core.fsmonitor', 'false'],
    ['core.askPass', ''],
    ['credential.helper', ''],
    ['fetch.recurseSubmodules', 'false'],
    ['gc.auto', '0'],
    ['maintenance.auto', 'false'],
    // Received data is checked. These three errors are ignored, because they are old, common and harmless.
    ['transfer.fsckObjects', 'true'],
    ['fetch.fsck.zeroPaddedFilemode', 'ignore'],
    ['fetch.fsck.missingSpaceBeforeDate', 'ignore'],
    ['fetch.fsck.badTimezone', 'ignore'],
    // A fetch always keeps the pack, which is indexed as a stream, and all caches and windows of git are small. The
    // limits that hold regardless of what a server sends are those of the process, see MEMORY in git.ts.
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
    // Hosts redirect the first request for a renamed repository. The route checks the target.
    ['http.followRedirects', 'initial'],
    ['http.lowSpeedLimit', '500'],
    ['http.lowSpeedTime', '30'],
  ];
}

function safeVariables(remote: Remote, settings: SourceContext['settings']): Record<string, string> {
  const inherited = Object.entries(settings.environment ?? {}).filter(([name, value]) => value && INHERITED.test(name));
  return {
    PATH: USUAL_PATH,
    ...(Object.fromEntries(inherited) as Record<string, string>),
    LC_ALL: 'C',
    // One malloc arena per process, because more would only use up its address space.
    MALLOC_ARENA_MAX: '1',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    // A redirect must not lead to a less secure protocol than the one that was requested.
    GIT_ALLOW_PROTOCOL: remote.scheme === 'http' ? 'http:https' : remote.scheme,
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_LITERAL_PATHSPECS: '1',
  };
}

/**
 * Returns the environment of one command. It is the only way in which settings are passed to git, because other users
 * could see its arguments.
 */
export function toEnvironment(config: readonly Setting[], variables: GitSetup['variables']): Record<string, string> {
  const settings = config.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return { ...variables, GIT_CONFIG_COUNT: String(config.length), ...(Object.fromEntries(settings) as object) };
}

/**
 * Returns the authorities of the system together with those of NODE_EXTRA_CA_CERTS, which Node trusts in addition. git
 * supports only one file, which replaces the system's authorities. A file that cannot be read is ignored, because Node
 * has already warned about it at the start.
 */
async function siteAuthorities({ environment }: SourceContext['settings']): Promise<string | undefined> {
  const file = environment?.['NODE_EXTRA_CA_CERTS'];
  const authorities = file && (await readFile(file, 'utf8').catch(() => ''));
  return authorities ? [authorities, ...getCACertificates('system')].join('\n') : undefined;
}

/** A credential helper that runs in git's shell, see gitcredentials(7). */
const CREDENTIAL_HELPER =
  '!f() { if test "$1" = get; then printf "username=%s\\npassword=%s\\n" "$SOURCE_GIT_USERNAME" "$SOURCE_GIT_PASSWORD"; fi; }; f';

async function privateFile(directory: string, name: string, content: string | Uint8Array): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content, { mode: 0o600 });
  return path;
}
