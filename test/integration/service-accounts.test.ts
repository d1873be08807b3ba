import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { HttpTransport } from '#kubernetes/http-transport.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import { Authenticator } from '#registry-api/auth/authenticator.js';
import { ALONE } from '#support/alone.js';
import { adminAccess } from '#support/api-server.js';
import { createNamespace } from '#support/namespace.js';
import { oauth } from '#support/oauth-spec.js';
import { sharedApiServer } from '#support/shared-api-server.js';

/** The folder that a pod has at /var/run/secrets/kubernetes.io/serviceaccount. */
let directory: string;
let server: string;
let transport: HttpTransport;
let namespace: string;

beforeAll(async () => {
  const address = await sharedApiServer();
  server = address.server;
  transport = new HttpTransport(adminAccess(address));
  const api = new HttpKubernetesApi(adminAccess(address));
  namespace = await createNamespace(api);
  await api.close();
  directory = await mkdtemp(join(tmpdir(), 'service-account-'));
  await writeFile(join(directory, 'ca.crt'), address.ca);
  for (const name of ['registry', 'client']) {
    await post('serviceaccounts', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } });
  }
});

afterAll(async () => {
  await transport?.close();
  if (directory) await rm(directory, { recursive: true, force: true });
});

async function post(path: string, value: object): Promise<unknown> {
  return transport.call({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/${path}`,
    body: { contentType: 'application/json', value },
    attempt: `create ${path}`,
  });
}

/** Requests a token as the kubelet does for a projected volume. */
async function tokenFor(account: string, audience?: string): Promise<string> {
  const answer = await post(`serviceaccounts/${account}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 600, audiences: audience === undefined ? [] : [audience] },
  });
  return (answer as { status: { token: string } }).status.token;
}

/** Uses the manifest from the documentation, except for the URL of the API server. */
function authenticator(fields: object = {}): Authenticator {
  const auth = oauth({
    mode: 'oauth',
    oauth: {
      providers: [
        {
          name: 'kubernetes',
          issuerUrl: 'https://kubernetes.default.svc.cluster.local',
          jwksUrl: `${server}/openid/v1/jwks`,
          audience: 'registry-server',
          allowPrivateIP: true,
        },
      ],
    },
  });
  if (auth.mode !== 'oauth') throw new Error('the spec is not one of mode oauth');
  let nowMs = 0;
  // Set the files here, because an MCPRegistry cannot refer to files in this folder.
  const files = { caCertPath: join(directory, 'ca.crt'), authTokenFile: join(directory, 'token'), ...fields };
  const providers = auth.oauth.providers.map((each) => ({ ...each, ...files }));
  return new Authenticator({ ...auth.oauth, providers }, namespace, {
    references: ALONE.references,
    version: 'test',
    // Each call is a minute later, so that a provider that failed is requested again.
    now: () => (nowMs += 60_000),
    onFault: () => undefined,
  });
}

it('admits a service account with a token for the audience, and no other', async () => {
  await writeFile(join(directory, 'token'), await tokenFor('registry'));
  const subject = authenticator();
  expect(await subject.identify(await tokenFor('client', 'registry-server'))).toMatchObject({
    kind: 'accepted',
    caller: { provider: 'kubernetes', subject: `system:serviceaccount:${namespace}:client` },
  });
  for (const audience of ['other', 'registry-server-2', undefined]) {
    expect(await subject.identify(await tokenFor('client', audience))).toMatchObject({ kind: 'refused' });
  }
  await subject.close();
});

it('rereads its own token when that was replaced', async () => {
  await writeFile(join(directory, 'token'), 'outdated');
  const subject = authenticator();
  const token = await tokenFor('client', 'registry-server');
  expect(await subject.identify(token)).toMatchObject({
    kind: 'unavailable',
    why: expect.stringContaining('answered 401'),
  });
  await writeFile(join(directory, 'token'), `${await tokenFor('registry')}\n`);
  expect(await subject.identify(token)).toMatchObject({ kind: 'accepted' });
  await subject.close();
});

it('does not trust the API server without its certificate authority', async () => {
  const subject = authenticator({ caCertPath: undefined });
  const token = await tokenFor('client', 'registry-server');
  expect(await subject.identify(token)).toMatchObject({
    kind: 'unavailable',
    why: expect.stringContaining('not trusted'),
  });
  await subject.close();
});
