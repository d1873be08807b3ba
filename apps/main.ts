import { nearestName } from '#spec/nearest-name.js';

/** Each imports what it needs when it is asked for: the server of a registry has no memory to spare for the others. */
const commands = {
  operator: {
    does: 'runs the MCPRegistries of a cluster',
    load: () => import('#operator/main.js'),
  },
  serve: {
    does: 'serves one registry and syncs its sources, as the operator starts it in a pod',
    load: () => import('#registry-api/main.js'),
  },
  standalone: {
    does: 'serves the MCPRegistry manifests in files, and brings along all that it needs',
    load: () => import('#standalone/main.js'),
  },
  validate: {
    does: 'checks manifests and catalogue files, without network or cluster',
    load: () => import('#standalone/validate/main.js'),
  },
  export: {
    does: 'renders the servers of a file or a registry as files of clients and policies',
    load: () => import('#registry-api/export/main.js'),
  },
  explain: {
    does: 'says why a registry serves a server, or why not',
    load: () => import('#registry-api/remote/explain-main.js'),
  },
  preview: {
    does: 'says what an edit of a registry would add to its lists and remove from them',
    load: () => import('#registry-api/remote/preview-main.js'),
  },
  migrate: {
    does: 'brings the schema of a database up to date',
    load: () => import('#registry-api/migrate-main.js'),
  },
} satisfies Record<string, Command>;

interface Command {
  readonly does: string;
  load(): Promise<{ main(args: readonly string[]): Promise<void> }>;
}

// The reader of the output may exit first (`| head`): registries are served all the same, and exit codes stay.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

const [name = '', ...args] = process.argv.slice(2);

if (isCommand(name)) {
  const { main } = await commands[name].load();
  await main(args);
} else if (name === '--help' || name === '-h') {
  process.stdout.write(usage());
} else {
  const nearest = nearestName(name, Object.keys(commands));
  const fault =
    name === '' ? 'a command is missing' : `${name}: is not a command${nearest ? `: did you mean ${nearest}?` : ''}`;
  process.stderr.write(`error: ${fault}\n\n${usage()}`);
  process.exitCode = 2;
}

function isCommand(text: string): text is keyof typeof commands {
  return Object.hasOwn(commands, text);
}

function usage(): string {
  const width = Math.max(...Object.keys(commands).map(({ length }) => length));
  const lines = Object.entries(commands).map(([each, { does }]) => `  ${each.padEnd(width)}   ${does}`);
  return `Usage: COMMAND [ARGUMENT...]\n\n${lines.join('\n')}\n\nCOMMAND --help says more.\n`;
}
