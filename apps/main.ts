import { nearestName } from '#spec/nearest-name.js';

/**
 * The commands. Each one imports its code only when it is run, because the server of a registry has no memory to spare
 * for the others.
 */
const commands = {
  operator: {
    does: 'runs the operator: provisions and syncs the MCPRegistries of a cluster',
    load: () => import('#operator/main.js'),
  },
  serve: {
    does: 'runs the registry server that the operator starts in a pod: serves one registry and syncs its sources',
    load: () => import('#registry-api/main.js'),
  },
  standalone: {
    does: 'serves MCPRegistry manifests from files without a cluster; starts Postgres and Temporal itself',
    load: () => import('#standalone/main.js'),
  },
  validate: {
    does: 'checks manifests and catalogue files offline',
    load: () => import('#standalone/validate/main.js'),
  },
  export: {
    does: 'exports the servers of a file or a registry as client configuration or policy files',
    load: () => import('#registry-api/export/main.js'),
  },
  explain: {
    does: 'explains why a registry serves a server, or why not',
    load: () => import('#registry-api/remote/explain-main.js'),
  },
  preview: {
    does: 'shows what an edit of a registry would add to its lists and remove from them',
    load: () => import('#registry-api/remote/preview-main.js'),
  },
  migrate: {
    does: 'migrates the schema of a database',
    load: () => import('#registry-api/migrate-main.js'),
  },
} satisfies Record<string, Command>;

interface Command {
  readonly does: string;
  load(): Promise<{ main(args: readonly string[]): Promise<void> }>;
}

// The reader of the output may exit first (`| head`). That must neither stop a server nor change the exit code.
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
    name === '' ? 'expected a command' : `${name}: is not a command${nearest ? `: did you mean ${nearest}?` : ''}`;
  process.stderr.write(`error: ${fault}\n\n${usage()}`);
  process.exitCode = 2;
}

function isCommand(text: string): text is keyof typeof commands {
  return Object.hasOwn(commands, text);
}

function usage(): string {
  const width = Math.max(...Object.keys(commands).map(({ length }) => length));
  const lines = Object.entries(commands).map(([each, { does }]) => `  ${each.padEnd(width)}   ${does}`);
  return `Usage: COMMAND [ARGUMENT...]\n\n${lines.join('\n')}\n\nCOMMAND --help shows more.\n`;
}
