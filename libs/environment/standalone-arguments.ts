import { parseArgs } from 'node:util';
import { objectName } from '#domain/spec-fields.js';
import { nearestName } from '#spec/nearest-name.js';

export const DEFAULT_MANIFEST = 'deploy/samples/quickstart.yaml';

export const STANDALONE_USAGE = `Usage: npm start -- [FILE_OR_DIR...] [--volume CLAIM=DIR]...

Serves the MCPRegistry manifests in the files, and in the *.yaml, *.yml and *.json files of the directories.
The default is ${DEFAULT_MANIFEST}. Edits take effect at once.

  --volume CLAIM=DIR   a directory to use in place of the PersistentVolumeClaim CLAIM; may be repeated
  --help               this text

Environment: PORT, INTERNAL_PORT, HOST, ALLOWED_HOSTS, DATA_DIR, DATABASE_URL, POSTGRES_TEMPLATE, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_PORT,
TEMPORAL_UI_PORT, SOURCE_URL_REWRITES, ALLOW_LOCAL_GIT, ALLOW_PRIVATE_SOURCES, MIN_SYNC_INTERVAL, LOG_LEVEL (see docs/configuration.md).
`;

export interface StandaloneArguments {
  /** Files and directories with manifests, in the given order. */
  readonly paths: readonly string[];
  /** Directories by claim name. */
  readonly volumes: ReadonlyMap<string, string>;
  readonly help: boolean;
}

const OPTIONS = { volume: { type: 'string', multiple: true }, help: { type: 'boolean', short: 'h' } } as const;

/** Parses the command line (without node and script). Errors are sentences with the remedy. */
export function parseStandaloneArguments(
  args: readonly string[],
): { arguments: StandaloneArguments } | { faults: string[] } {
  const { tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const faults: string[] = [];
  const paths: string[] = [];
  const volumes = new Map<string, string>();
  let help = false;

  for (const token of tokens) {
    if (token.kind === 'positional') {
      paths.push(token.value);
    } else if (token.kind === 'option' && token.name === 'help') {
      help = true;
    } else if (token.kind === 'option' && token.name === 'volume') {
      const volume = parseVolume(token.value);
      if (!volume) {
        const given = token.value === undefined ? '--volume' : `--volume ${token.value}`;
        faults.push(`${given}: must be CLAIM=DIR, such as --volume registry-data=./data`);
      } else if (volumes.has(volume.claim)) {
        faults.push(`--volume ${volume.claim}: is given twice: remove one of them`);
      } else {
        volumes.set(volume.claim, volume.directory);
      }
    } else if (token.kind === 'option') {
      const nearest = nearestName(token.rawName, ['--volume', '--help']);
      faults.push(`${token.rawName}: is not an option: ${nearest ? `did you mean ${nearest}?` : 'see --help'}`);
    }
  }
  if (faults.length > 0) return { faults };
  return { arguments: { paths: paths.length > 0 ? paths : [DEFAULT_MANIFEST], volumes, help } };
}

function parseVolume(text: string | undefined): { claim: string; directory: string } | undefined {
  const [claim, ...rest] = text?.split('=') ?? [];
  const directory = rest.join('=');
  return directory && objectName.safeParse(claim).success ? { claim: claim!, directory } : undefined;
}
