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
    layer('http-sees-domain', '^libs/http/', '^libs/(http|domain)/'),
    layer('listener-sees-domain', '^libs/listener/', '^libs/(listener|domain)/'),
    layer('sources-see-domain', '^libs/sources/', '^libs/(sources|http|domain|subprocess)/'),
    layer('persistence-sees-domain', '^libs/persistence/', '^libs/(persistence|domain|subprocess)/'),
    layer('kubernetes-sees-domain', '^libs/kubernetes/', '^libs/(kubernetes|domain)/'),
    layer('temporal-sees-domain', '^libs/temporal/', '^libs/(temporal|domain|subprocess|config/project-root)'),
    layer('config-sees-sources', '^libs/config/', '^libs/(config/|sources/|domain/|http/address-policy)'),
    layer('read-model-sees-domain', '^libs/read-model/', '^libs/(read-model|domain)/'),
    layer('observability-is-alone', '^libs/observability/', '^libs/(observability|domain)/'),
    layer('subprocess-is-alone', '^libs/subprocess/', '^libs/subprocess/'),
    layer('activities-see-libs', '^activities/', '^(activities|libs)/'),
    layer('operator-sees-no-other-app', '^apps/operator/', '^(apps/operator|activities|workflows|libs)/'),
    layer('registry-api-sees-no-other-app', '^apps/registry-api/', '^(apps/registry-api|activities|libs)/'),
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
