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
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    layer('domain-is-alone', '^libs/domain/', '^libs/domain/', 'Words and rules know nothing of the world.'),
    {
      name: 'domain-is-pure',
      comment: 'No node builtins and no framework in the domain.',
      severity: 'error',
      from: { path: '^libs/domain/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core', 'npm'], pathNot: 'node_modules/zod/' },
    },
    layer('workflows-see-domain-only', '^workflows/', '^(workflows/|libs/domain/|activities/contract\\.ts$)'),
    {
      name: 'workflow-code-is-light',
      comment: 'Nothing heavy or impure may be reachable from workflow code: it is loaded once per cached workflow.',
      severity: 'error',
      from: { path: '^workflows/', pathNot: '\\.test\\.ts$' },
      to: { path: 'node_modules/(?!@temporalio/)', reachable: true },
    },
    layer('exports-see-domain', '^libs/exports/', '^libs/(exports|domain)/'),
    {
      name: 'exports-are-pure',
      comment: 'No node builtins: the same function renders in the server, in the command line and in tests.',
      severity: 'error',
      from: { path: '^libs/exports/', pathNot: '\\.test\\.ts$|/testing/' },
      to: { dependencyTypes: ['core', 'npm'], pathNot: 'node_modules/(zod|yaml|smol-toml)/' },
    },
    layer('identity-sees-domain', '^libs/identity/', '^libs/(identity|http|domain)/'),
    layer('webhooks-are-alone', '^libs/webhooks/', '^libs/webhooks/'),
    layer('http-sees-domain', '^libs/http/', '^libs/(http|domain)/'),
    layer('listener-sees-domain', '^libs/listener/', '^libs/(listener|domain)/'),
    layer('sources-see-domain', '^libs/sources/', '^libs/(sources|http|domain|subprocess)/'),
    layer('persistence-sees-domain', '^libs/persistence/', '^libs/(persistence|domain|subprocess)/'),
    layer('kubernetes-sees-domain', '^libs/kubernetes/', '^libs/(kubernetes|domain)/'),
    layer('temporal-sees-domain', '^libs/temporal/', '^libs/(temporal|domain|subprocess|environment/project-root)'),
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
    layer('read-model-sees-domain', '^libs/read-model/', '^libs/(read-model|domain)/'),
    layer('observability-is-alone', '^libs/observability/', '^libs/(observability|domain)/'),
    layer('subprocess-is-alone', '^libs/subprocess/', '^libs/subprocess/'),
    layer('activities-see-libs', '^activities/', '^(activities|libs)/'),
    layer('operator-sees-no-other-app', '^apps/operator/', '^(apps/operator|activities|workflows|libs)/'),
    layer('registry-api-sees-no-other-app', '^apps/registry-api/', '^(apps/registry-api|activities|libs)/'),
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
      severity: 'error',
      from: { pathNot: '^(apps/console|test)/' },
      to: { path: '^apps/console/' },
    },
    layer('devstack-is-alone', '^libs/devstack/', '^libs/devstack/', 'It runs before anything else is there.'),
    {
      name: 'tests-stay-outside',
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
