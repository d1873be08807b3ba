// The layers: apps → activities → sources, persistence, kubernetes → domain. Workflows see the domain and types only.
const layer = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, pathNot: '\\.test\\.ts$' },
  to: { path: '^(apps|workflows|activities|libs|tools|test)/', pathNot: allowed },
});

export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment:
        'Of files in a circle, even one of types alone, none can be read, moved or tested without all the others.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'pg-in-persistence',
      comment:
        'A connection that is made elsewhere has other limits, passwords and TLS than the spec says: take one from libs/persistence.',
      severity: 'error',
      from: { path: '^(apps|activities|workflows|libs)/', pathNot: '^libs/persistence/|\\.test\\.ts$|/testing/' },
      to: { path: 'node_modules/(pg|pg-[a-z-]+|typeorm)/' },
    },
    {
      name: 'nest-in-apps',
      comment:
        'Code below the processes that needs a container cannot be used by a command, a thread or a test without one.',
      severity: 'error',
      from: { path: '^(activities|workflows|libs)/' },
      to: { path: 'node_modules/(@nestjs/|reflect-metadata/)' },
    },
    layer('domain-is-alone', '^libs/domain/', '^libs/domain/', 'Words and rules know nothing of the world.'),
    {
      name: 'domain-is-pure',
      comment: 'No node builtins and no framework in the domain.',
      severity: 'error',
      from: { path: '^libs/domain/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core', 'npm'], pathNot: 'node_modules/zod/' },
    },
    layer(
      'workflows-see-domain-only',
      '^workflows/',
      '^(workflows/|libs/domain/|activities/contract\\.ts$)',
      'Temporal replays this code: what it imports must give the same result each time, and is bundled into each workflow.',
    ),
    {
      name: 'workflow-code-is-light',
      comment: 'Nothing heavy or impure may be reachable from workflow code: it is loaded once per cached workflow.',
      severity: 'error',
      from: { path: '^workflows/', pathNot: '\\.test\\.ts$' },
      to: { path: 'node_modules/(?!@temporalio/)', reachable: true },
    },
    layer(
      'exports-see-domain',
      '^libs/exports/',
      '^libs/(exports|domain)/',
      'A format that reads anything but its entries would differ between the server, the command line and tests.',
    ),
    {
      name: 'exports-are-pure',
      comment: 'No node builtins: the same function renders in the server, in the command line and in tests.',
      severity: 'error',
      from: { path: '^libs/exports/', pathNot: '\\.test\\.ts$|/testing/' },
      to: { dependencyTypes: ['core', 'npm'], pathNot: 'node_modules/(zod|yaml|smol-toml)/' },
    },
    layer(
      'identity-sees-domain',
      '^libs/identity/',
      '^libs/(identity|http|concurrency|domain)/',
      'The spec is made of its declarations: an import of the spec would be a circle.',
    ),
    layer(
      'webhooks-are-alone',
      '^libs/webhooks/',
      '^libs/webhooks/',
      'The spec is made of its types: an import of the spec would be a circle.',
    ),
    layer(
      'http-sees-domain',
      '^libs/http/',
      '^libs/(http|concurrency|domain)/',
      'Sources and identity providers share it: knowing one of them, it would guard the others by chance.',
    ),
    layer(
      'listener-sees-domain',
      '^libs/listener/',
      '^libs/(listener|domain)/',
      'All processes listen by it: the hardening must not depend on what one of them serves.',
    ),
    layer(
      'sources-see-domain',
      '^libs/sources/',
      '^libs/(sources|http|domain|subprocess)/',
      'The spec is made of its declarations, and a source that knew the database could store what no import has checked.',
    ),
    layer(
      'persistence-sees-domain',
      '^libs/persistence/',
      '^libs/(persistence|domain|subprocess)/',
      'Rows are written the same way whatever source they come from.',
    ),
    layer(
      'kubernetes-sees-domain',
      '^libs/kubernetes/',
      '^libs/(kubernetes|concurrency|domain)/',
      'The operator and the server of a registry share it, and have different rights.',
    ),
    layer(
      'temporal-sees-domain',
      '^libs/temporal/',
      '^libs/(temporal|domain|subprocess|environment/project-root)',
      'Operator, server and standalone share it; what they say to Temporal is theirs.',
    ),
    layer(
      'spec-sees-declarations',
      '^libs/spec/',
      '^libs/(spec|sources|identity|webhooks|domain)/|^libs/http/address-policy',
      'The spec is read by all processes: with the environment of one in it, the others would need its variables.',
    ),
    layer(
      'environment-sees-spec',
      '^libs/environment/',
      '^libs/(environment|spec|sources|domain)/|^libs/http/address-policy',
      'Variables are read before anything is connected, and a fault in them is reported by every command.',
    ),
    layer(
      'read-model-sees-domain',
      '^libs/read-model/',
      '^libs/(read-model|domain)/',
      'Its data structures are tested and measured without HTTP and database.',
    ),
    layer(
      'observability-is-alone',
      '^libs/observability/',
      '^libs/(observability|domain)/',
      'Everything logs: an import of anything that logs would be a circle.',
    ),
    layer(
      'subprocess-is-alone',
      '^libs/subprocess/',
      '^libs/(subprocess|concurrency|domain)/',
      'It supervises what other layers start: an import of one of them would be a circle.',
    ),
    layer(
      'activities-see-libs',
      '^activities/',
      '^(activities|libs)/',
      'Activities run in three processes: an import of one of these would start the others with its parts.',
    ),
    layer(
      'operator-sees-no-other-app',
      '^apps/operator/',
      '^(apps/operator|activities|workflows|libs)/',
      'Processes talk through Temporal and Kubernetes only, so that each can be of another version.',
    ),
    layer(
      'registry-api-sees-no-other-app',
      '^apps/registry-api/',
      '^(apps/registry-api|activities|libs)/',
      'Processes talk through Temporal and Kubernetes only, and the pod of a registry runs no workflows.',
    ),
    {
      name: 'refusals-below-http',
      comment:
        'Statuses and headers are for http/ alone: code below it that throws an HTTP error cannot be used by a command, a worker or ' +
        'another protocol. Throw a Refusal; error.filter.ts maps it.',
      severity: 'error',
      from: {
        path: '^apps/registry-api/src/(auth|publish|catalogue|sync|resources)/|^apps/registry-api/src/[^/]+-registry\\.ts',
      },
      to: { path: '^apps/registry-api/src/http/' },
    },
    {
      name: 'problems-in-http',
      comment: 'The same for what may use other parts of http/: a Problem is an answer, and only http/ gives answers.',
      severity: 'error',
      from: { path: '^(apps|libs|activities)/', pathNot: '^apps/registry-api/src/http/' },
      to: { path: '^apps/registry-api/src/http/problem\\.ts' },
    },
    layer(
      'console-is-alone',
      '^apps/console/',
      '^(apps/console|libs/domain)/',
      'It runs in browsers. Of the server it shares words and rules, and the way to it is HTTP.',
    ),
    {
      name: 'nothing-imports-the-console',
      comment: 'It is bundled for browsers: an import of it would bring the DOM into a server.',
      severity: 'error',
      from: { pathNot: '^(apps/console|test)/' },
      to: { path: '^apps/console/' },
    },
    layer(
      'concurrency-sees-domain',
      '^libs/concurrency/',
      '^libs/(concurrency|domain)/',
      'Every layer waits and retries by it: an import of one of them would be a circle.',
    ),
    layer('devstack-is-alone', '^libs/devstack/', '^libs/devstack/', 'It runs before anything else is there.'),
    {
      name: 'tests-stay-outside',
      comment: 'Tests and their support are in no image: an import of them works here and fails there.',
      severity: 'error',
      from: { path: '^(apps|workflows|activities|libs|tools)/', pathNot: '\\.test\\.ts$' },
      to: { path: '^test/|\\.test\\.ts$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'default', 'types'],
    },
  },
};
