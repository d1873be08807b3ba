import { inject } from 'vitest';
import { apply, kubectl, until } from './cluster.js';

interface FetchInPod {
  readonly namespace: string;
  readonly name: string;
  readonly url: string;
  /** Audience of the service account token that the pod sends. */
  readonly audience?: string;
  /** JSON body of a POST request. Without it, the request is a GET. */
  readonly post?: object;
}

export interface FetchedInPod {
  readonly status: number;
  readonly challenge: string | null;
  readonly etag: string | null;
  readonly body: string;
}

const TOKEN = '/var/run/token/token';

const PROGRAM = `
import { readFile } from 'node:fs/promises';
const token = await readFile('${TOKEN}', 'utf8').catch(() => undefined);
const headers = token ? { authorization: 'Bearer ' + token } : {};
const post = process.env.POST ? { method: 'POST', body: process.env.POST } : {};
if (process.env.POST) headers['content-type'] = 'application/json';
const answer = await fetch(process.env.URL, { headers, ...post, signal: AbortSignal.timeout(15000) });
const [challenge, etag] = ['www-authenticate', 'etag'].map((name) => answer.headers.get(name));
console.log(JSON.stringify({ status: answer.status, challenge, etag, body: await answer.text() }));
`;

/**
 * Returns the response that a workload in the cluster gets, with a projected token of its service account or without a
 * token.
 */
export async function fetchInPod({ namespace, name, url, audience, post }: FetchInPod): Promise<FetchedInPod> {
  const pod = `client-${name}`;
  const token = { serviceAccountToken: { path: 'token', expirationSeconds: 600, audience } };
  await apply([
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: pod, namespace },
      spec: {
        restartPolicy: 'Never',
        automountServiceAccountToken: false,
        containers: [
          {
            name: 'client',
            image: inject('image'),
            imagePullPolicy: 'IfNotPresent',
            command: ['node', '--input-type=module', '-e', PROGRAM],
            env: [{ name: 'URL', value: url }, ...(post ? [{ name: 'POST', value: JSON.stringify(post) }] : [])],
            ...(audience === undefined ? {} : { volumeMounts: [{ name: 'token', mountPath: '/var/run/token' }] }),
          },
        ],
        ...(audience === undefined ? {} : { volumes: [{ name: 'token', projected: { sources: [token] } }] }),
      },
    },
  ]);
  const phase = () => kubectl(['get', 'pod', pod, '--namespace', namespace, '--output', 'jsonpath={.status.phase}']);
  await until(`pod ${pod} ends`, phase, (seen) => seen === 'Succeeded' || seen === 'Failed');
  const log = await kubectl(['logs', pod, '--namespace', namespace]);
  await kubectl(['delete', 'pod', pod, '--namespace', namespace, '--now']);
  return JSON.parse(log) as FetchedInPod;
}
