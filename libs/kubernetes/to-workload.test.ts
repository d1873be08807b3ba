import { describe, expect, it } from 'vitest';
import { POD_HASH_ANNOTATION, toReaderFacts, toWorkload } from './to-workload.js';
import type { Deployment, Pod } from './to-workload.js';

const annotations = { [POD_HASH_ANNOTATION]: 'p2' };

const deployment = (status: Deployment['status'], generation = 3): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'r-api', generation },
  spec: { template: { metadata: { annotations } } },
  status: { observedGeneration: 3, ...status },
});

const pod = (name: string, status: NonNullable<Pod['status']>, metadata: object = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, annotations, ...metadata },
  status,
});

const waiting = (reason: string, message?: string, lastState: object = {}) => ({
  containerStatuses: [
    { name: 'registry-api', state: { waiting: { reason, ...(message && { message }) } }, ...lastState },
  ],
});

describe('a workload', () => {
  it.each<[string, Deployment['status'], boolean]>([
    ['a pod of the template is ready', { replicas: 1, updatedReplicas: 1, readyReplicas: 1 }, true],
    ['the old pod alone is ready', { replicas: 2, updatedReplicas: 1, readyReplicas: 1 }, false],
    ['old and new are ready', { replicas: 2, updatedReplicas: 1, readyReplicas: 2 }, true],
    ['there is no new pod yet', { replicas: 1, updatedReplicas: 0, readyReplicas: 1 }, false],
    ['nothing is said', {}, false],
  ])('when %s', (_, status, live) => {
    expect(toWorkload(deployment(status))).toMatchObject({
      podHash: 'p2',
      live,
      readyReplicas: status?.readyReplicas ?? 0,
    });
  });

  it('is not live until its controller has seen the last edit', () => {
    expect(toWorkload(deployment({ replicas: 1, updatedReplicas: 1, readyReplicas: 1 }, 4)).live).toBe(false);
  });

  it('of the read-only servers is their number and their selector for autoscalers', () => {
    const readers = {
      ...deployment({ replicas: 3, readyReplicas: 2 }),
      spec: { selector: { matchLabels: { b: '2', a: '1' } } },
    };
    expect(toReaderFacts(readers)).toEqual({ replicas: 3, readyReplicas: 2, selector: 'a=1,b=2' });
  });

  it('is undefined without a Deployment', () => {
    expect(toWorkload(undefined)).toEqual({ readyReplicas: 0, live: false });
  });

  const quota = 'pods "r-api-1" is forbidden: exceeded quota: small';

  it.each<[string, Deployment['status'], Pod[], object]>([
    [
      'no pod may be made',
      { conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: quota }] },
      [],
      { trouble: `FailedCreate: ${quota}` },
    ],
    [
      'the image cannot be pulled',
      {},
      [pod('r-api-1', waiting('ImagePullBackOff', 'Back-off pulling image "x"'))],
      { awaited: 'r-api-1', trouble: 'container registry-api: ImagePullBackOff: Back-off pulling image "x"' },
    ],
    [
      'it ends again and again',
      {},
      [
        pod(
          'r-api-1',
          waiting('CrashLoopBackOff', 'back-off 10s', {
            lastState: { terminated: { exitCode: 1, reason: 'Error', message: 'no such file\n' } },
          }),
        ),
      ],
      {
        awaited: 'r-api-1',
        trouble:
          'container registry-api: CrashLoopBackOff: back-off 10s; it last ended with exit code 1 (Error): no such file',
      },
    ],
    [
      'no node has room',
      {},
      [
        pod('r-api-1', {
          conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes' }],
        }),
      ],
      { awaited: 'r-api-1', trouble: 'Unschedulable: 0/1 nodes' },
    ],
    ['it is on its way', {}, [pod('r-api-1', waiting('ContainerCreating'))], { awaited: 'r-api-1' }],
    [
      'another of its pods is on its way',
      {},
      [pod('r-api-1', waiting('ContainerCreating')), pod('r-api-2', waiting('ErrImagePull', 'no'))],
      { awaited: 'r-api-2', trouble: 'container registry-api: ErrImagePull: no' },
    ],
    [
      'only pods of another template or on their way out have trouble',
      {},
      [
        pod('r-api-0', waiting('ErrImagePull'), { annotations: {} }),
        pod('r-api-1', waiting('ErrImagePull'), { deletionTimestamp: '2026-11-24T00:00:00Z' }),
      ],
      {},
    ],
  ])('reports in the words of the cluster why %s', (_, status, pods, expected) => {
    expect(toWorkload(deployment(status), pods)).toEqual({ podHash: 'p2', readyReplicas: 0, live: false, ...expected });
  });
});
