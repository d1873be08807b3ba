import { afterAll, beforeAll, expect, it } from 'vitest';
import { AccessReviewer, REVIEW_LIMITS } from '#kubernetes/access-reviewer.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { startHealthServers } from '#operator/health-server.js';
import type { HealthServers } from '#operator/health-server.js';
import { accessByToken, tokenOf } from '#api-server/account-token.js';
import { adminAccess } from '#support/api-server.js';
import type { ApiServerAddress } from '#support/api-server.js';
import { eventually } from '#support/eventually.js';
import { createNamespace } from '#support/namespace.js';
import { silent } from '#support/quiet-temporal.js';
import { sharedApiServer } from '#support/shared-api-server.js';

/** Covers the metrics of the operator if the API server decides who may read them. */

let address: ApiServerAddress;
let api: HttpKubernetesApi;
let operator: HttpKubernetesApi;
let namespace: string;
let servers: HealthServers;
let reviews = 0;

beforeAll(async () => {
  address = await sharedApiServer();
  api = new HttpKubernetesApi(adminAccess(address));
  namespace = await createNamespace(api);
  for (const name of ['operator', 'prometheus', 'stranger'])
    await api.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name } });
  const rules = [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }];
  const metadata = { name: `${namespace}-metrics-reader` };
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  await api.apply({ apiVersion, kind: 'ClusterRole', metadata, rules } as KubernetesObject);
  await bind('prometheus', metadata.name);
  await bind('operator', 'system:auth-delegator');
  operator = new HttpKubernetesApi(await accessByToken(address, { namespace, name: 'operator' }));
  const reviewer = new AccessReviewer({
    create: (object) => {
      reviews += 1;
      return operator.create(object);
    },
  });
  servers = await startHealthServers(
    { missing: () => [], warnings: () => [], metrics: () => 'mcp_operator_registries 1\n', reviewer },
    { host: '127.0.0.1', healthPort: 0, metricsPort: 0 },
    silent,
  );
});

afterAll(async () => {
  await servers.close();
  await Promise.all([api.close(), operator.close()]);
});

function bind(account: string, role: string): Promise<unknown> {
  return api.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: `${namespace}-${account}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', namespace, name: account }],
  } as KubernetesObject);
}

async function read(authorization?: string, port = servers.metricsPort, path = '/metrics'): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`, { headers: authorization === undefined ? {} : { authorization } });
}

const bearer = async (account: string) => `Bearer ${await tokenOf(address, { namespace, name: account })}`;

it('are readable for an account that may get them, with one review per token for a while', async () => {
  const authorization = await bearer('prometheus');
  // The API server applies roles only a moment after it has stored them.
  await eventually(async () => (await read(await bearer('prometheus'))).status === 200 || undefined);
  expect((await read(authorization)).status).toBe(200);
  const before = reviews;
  const answers = await Promise.all(Array.from({ length: 20 }, () => read(authorization)));
  expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(
    answers.map(() => 'mcp_operator_registries 1\n'),
  );
  expect(reviews).toBe(before);
});

it('are forbidden for an account without that right', async () => {
  const answer = await read(await bearer('stranger'));
  expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('right to get /metrics')]);
});

it.each<[string, string | undefined]>([
  ['no token', undefined],
  ['a token that is none', 'Bearer nonsense'],
  ['a token without its scheme', 'nonsense'],
  ['an empty token', 'Bearer '],
  ['a password', `Basic ${Buffer.from('a:b').toString('base64')}`],
  ['a token that is too long', `Bearer ${'a'.repeat(9_000)}`],
])('are refused with a challenge to a client with %s', async (_, authorization) => {
  const answer = await read(authorization);
  expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
});

it('leave the probes open', async () => {
  expect((await read(undefined, servers.healthPort, '/healthz')).status).toBe(200);
  expect((await read(undefined, servers.healthPort, '/readyz')).status).toBe(200);
});

it('limit concurrent reviews and cached decisions', async () => {
  let answer: (object: unknown) => void = () => undefined;
  const asked = new Promise((resolve) => (answer = resolve));
  let questions = 0;
  const reviewer = new AccessReviewer({
    create: () => {
      questions += 1;
      return asked as Promise<never>;
    },
  });
  const reviewing = Array.from({ length: 50 }, (_, at) => reviewer.review(`Bearer t${at}`, '/metrics'));
  const settled = Promise.allSettled(reviewing);
  expect(questions).toBe(REVIEW_LIMITS.underWay);
  answer({ status: { authenticated: false } });
  const outcomes = (await settled).map(({ status }) => status);
  expect(outcomes.filter((status) => status === 'fulfilled')).toHaveLength(REVIEW_LIMITS.underWay);
});

it('are not readable while the API server does not respond', async () => {
  const away = await startHealthServers(
    {
      missing: () => [],
      warnings: () => [],
      metrics: () => 'secret',
      reviewer: new AccessReviewer({ create: () => Promise.reject(new Error('away')) }),
    },
    { host: '127.0.0.1', healthPort: 0, metricsPort: 0 },
    silent,
  );
  try {
    const answer = await read('Bearer any', away.metricsPort);
    expect([answer.status, await answer.text()]).toEqual([503, expect.not.stringContaining('secret')]);
  } finally {
    await away.close();
  }
});
