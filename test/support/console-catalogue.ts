const SCHEMA = 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json';

interface Described {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly version: string;
  readonly tags: readonly string[];
  /** `oci`, `npm` and so on for a package, `remote` for a remote. A `!` at the end marks one that takes a secret. */
  readonly ways: readonly string[];
}

const described = (line: string): Described => {
  const [name = '', title = '', version = '', ways = '', tags = '', description = ''] = line.split('|');
  return { name, title, description, version, ways: ways.split(','), tags: tags.split(',') };
};

/** Fictitious servers of a company, one per line: name, title, version, ways, tags, description. */
const DEMO =
  `com.example/calendar|Calendar|2.3.1|remote!|productivity,office|Finds free times and arranges meetings across time zones.
com.example/change-log|Change log|1.0.4|npm|development,git|Writes release notes from merged pull requests.
com.example/crm|Customers|4.1.0|remote!,oci!|sales,customers|Looks up accounts, contacts and open deals.
com.example/data-warehouse|Data warehouse|3.7.2|oci!|database,analytics,sql|Runs read-only queries and explains their plans.
com.example/design-tokens|Design tokens|0.9.3|npm|design,frontend|Answers which colour, spacing or type style to use.
com.example/document-search|Document search|1.12.0|remote|search,knowledge|Searches handbooks, guidelines and meeting notes.
com.example/feature-flags|Feature flags|2.0.0|remote!|development,release|Shows and plans the rollout of features.
com.example/incident-desk|Incident desk|1.8.5|remote!,npm!|observability,operations|Opens incidents, gathers timelines and drafts reports.
com.example/invoice-check|Invoice check|1.1.0|oci!|finance|Compares invoices with orders and deliveries.
com.example/kubernetes-read|Kubernetes, read-only|0.14.2|oci|kubernetes,operations|Inspects workloads, events and logs without changing anything.
com.example/legal-clauses|Legal clauses|1.0.0|remote|legal,knowledge|Finds approved clauses for contracts.
com.example/log-search|Log search|5.2.0|remote!|observability,search|Searches the logs of all clusters by service, trace and time.
com.example/maps|Maps|2.6.1|remote!,pypi!|maps,travel|Geocodes addresses, plans routes and estimates travel times.
com.example/metrics|Metrics|3.3.0|oci!|observability|Reads dashboards, and queries series and alerts.
com.example/onboarding|Onboarding|0.4.0|remote|people,knowledge|Walks new colleagues through their first weeks.
com.example/package-audit|Package audit|1.5.9|npm,pypi|security,development|Looks up known vulnerabilities of dependencies.
com.example/payments|Payments|2.2.2|remote!|finance,payments|Finds payments, refunds and disputes.
com.example/pdf-reader|PDF reader|0.7.1|pypi|documents,office|Reads text, tables and forms of PDF files.
com.example/people|People|1.3.0|remote!|people|Answers who works on what, and who is away.
com.example/scheduler|Scheduler|1.9.0|nuget!|operations|Plans and watches nightly jobs.
com.example/secrets-policy|Secrets policy|0.3.3|oci|security|Explains which secret belongs where, and never shows one.
com.example/spreadsheet|Spreadsheet|2.0.5|npm|office,analytics|Reads and writes sheets, charts and pivot tables.
com.example/ticket-queue|Ticket queue|6.0.1|remote!|support,customers|Reads, sorts and answers support tickets.
com.example/translation|Translation|1.7.0|remote!|language|Translates texts with the glossary of the company.
com.example/web-reader|Web reader|0.12.0|oci,npm|browser,search|Fetches pages and returns what a person would read.`
    .split('\n')
    .map(described);

/** Versions of the server whose page shows the most. */
const WEATHER_VERSIONS = ['1.0.0', '1.1.0', '1.2.0', '1.3.0', '1.4.0'];

/**
 * Returns a catalogue in the upstream format: twenty-six servers, one entry that the filter hides and two invalid
 * entries.
 */
export function demoCatalogue(): string {
  return toCatalogue([
    ...DEMO.map(toServer),
    ...WEATHER_VERSIONS.map(weather),
    { ...base('com.example/experimental-notes', '0.1.0', 'Takes notes, some day.') },
    { name: 'unnamed', version: '1.0.0', description: 'Has no namespace' },
    {
      ...base('com.example/old-transport', '1.0.0', 'Names an address that is none.'),
      remotes: [{ type: 'sse', url: 'ftp://files.example.com' }],
    },
  ]);
}

export const toCatalogue = (servers: readonly object[]): string =>
  JSON.stringify({ version: '1.0.0', meta: { last_updated: '2026-11-22T00:00:00Z' }, data: { servers } });

const base = (name: string, version: string, description: string) => ({ $schema: SCHEMA, name, version, description });

function publisherNotes(way: string, tags: readonly string[], tools: readonly string[]): object {
  const notes = { status: 'active', tier: 'Official', tags, tools };
  return { 'io.modelcontextprotocol.registry/publisher-provided': { 'io.github.stacklok': { [way]: notes } } };
}

function toServer({ name, title, description, version, ways, tags }: Described): object {
  const leaf = name.slice(name.indexOf('/') + 1);
  const secret = (way: string) => (way.endsWith('!') ? [{ name: 'API_TOKEN', isRequired: true, isSecret: true }] : []);
  const packages = ways
    .filter((way) => !way.startsWith('remote'))
    .map((way) => ({
      registryType: way.replace('!', ''),
      identifier: way.startsWith('oci') ? `ghcr.io/example/${leaf}:${version}` : `@example/${leaf}`,
      version,
      transport: { type: 'stdio' },
      environmentVariables: secret(way),
    }));
  const remotes = ways
    .filter((way) => way.startsWith('remote'))
    .map((way) => ({ type: 'streamable-http', url: `https://${leaf}.example.com/mcp`, headers: secret(way) }));
  return {
    ...base(name, version, description),
    title,
    repository: { url: `https://github.com/example/${leaf}`, source: 'github' },
    ...(packages.length > 0 && { packages }),
    ...(remotes.length > 0 && { remotes }),
    _meta: publisherNotes(leaf, tags, ['search', 'read']),
  };
}

function weather(version: string): object {
  return {
    ...base('com.example/weather', version, 'Forecasts, observations and warnings for places all over the world.'),
    title: 'Weather',
    ...(version === '1.0.0' && { status: 'deprecated' }),
    websiteUrl: 'https://weather.example.com',
    repository: { url: 'https://github.com/example/weather', source: 'github', subfolder: 'packages/mcp' },
    packages: [
      {
        registryType: 'oci',
        identifier: `ghcr.io/example/weather:${version}`,
        transport: { type: 'stdio' },
        environmentVariables: [
          { name: 'API_KEY', description: 'Key of the weather service', isRequired: true, isSecret: true },
          { name: 'UNITS', description: 'Units of measurement', default: 'metric', choices: ['metric', 'imperial'] },
        ],
      },
      {
        registryType: 'npm',
        identifier: '@example/weather-mcp',
        version,
        runtimeHint: 'npx',
        transport: { type: 'stdio' },
        packageArguments: [
          {
            type: 'named',
            name: '--region',
            description: 'Region of the stations',
            isRequired: true,
            value: '{region}',
            variables: { region: { description: 'ISO 3166 code of the country', isRequired: true } },
          },
          { type: 'positional', valueHint: 'directory', description: 'Where to keep the cache', default: '/tmp' },
        ],
      },
    ],
    remotes: [
      {
        type: 'streamable-http',
        url: 'https://mcp.weather.example.com/mcp',
        headers: [
          { name: 'Authorization', description: 'Bearer token of your account', isRequired: true, isSecret: true },
        ],
      },
    ],
    _meta: publisherNotes('weather', ['weather', 'maps'], ['forecast', 'observations', 'warnings']),
  };
}

const MARKUP = '<img src=x onerror="globalThis.hacked=1"><script>globalThis.hacked=1</script>';
const SCRIPT_URL = 'javascript:globalThis.hacked=1';
/** Returns a right-to-left override, a zero-width space, and characters without a possible line break. */
const unreadable = (length: number) => `\u202Egnp.exe\u200B${'W'.repeat(length)}`;

/** Together with title and tags, just below the limit of an entry in searchable characters. */
const UNREADABLE = unreadable(22_000);

/** Returns servers in which every field attacks the page that shows it, as far as the schema of server.json permits. */
export function hostileCatalogue(): string {
  const input = {
    name: MARKUP,
    description: MARKUP,
    value: MARKUP,
    default: UNREADABLE,
    choices: [MARKUP, UNREADABLE],
  };
  const everything = {
    title: MARKUP,
    websiteUrl: SCRIPT_URL,
    repository: { url: SCRIPT_URL, source: MARKUP, subfolder: MARKUP },
    icons: [{ src: 'https://attacker.example/pixel.png' }, { src: `data:image/svg+xml,${encodeURIComponent(MARKUP)}` }],
    packages: [
      {
        registryType: MARKUP,
        identifier: MARKUP,
        version: MARKUP,
        runtimeHint: MARKUP,
        registryBaseUrl: SCRIPT_URL,
        transport: { type: 'stdio' },
        environmentVariables: [{ ...input, variables: { [MARKUP]: input } }],
        packageArguments: [{ ...input, type: 'named' }],
        runtimeArguments: [{ type: 'positional', value: MARKUP, description: UNREADABLE }],
      },
    ],
    remotes: [{ type: 'sse', url: 'https://{x}.example/<b>', variables: { x: input }, headers: [input] }],
    _meta: publisherNotes(
      MARKUP,
      [MARKUP, ...Array.from({ length: 1_000 }, (_, at) => `tag-${at}`)],
      [MARKUP, UNREADABLE],
    ),
  };
  return toCatalogue([
    { ...base('attacker.example/markup', '1.0.0', MARKUP), ...everything },
    { ...base('attacker.example/markup', '2.0.0-<b>bold</b>', UNREADABLE), ...everything },
    { ...base('attacker.example/unreadable', '1.0.0', UNREADABLE), title: unreadable(8_000) },
    {
      ...base('attacker.example/user-info', '1.0.0', 'x'),
      repository: { url: 'https://github.com@attacker.example/' },
    },
    { ...base(`attacker.example/${'l'.repeat(180)}`, '1.0.0', `long ${'name '.repeat(5_000)}`) },
  ]);
}
