import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { deploymentName, REGISTRY_LABEL } from '#activities/provision/desired/naming.js';
import { POD_HASH_ANNOTATION } from '#kubernetes/to-workload.js';
import type { Deployment, Pod } from '#kubernetes/to-workload.js';
import { WorkloadIndex } from './workload-index.js';

const annotations = { [POD_HASH_ANNOTATION]: 'hash' };
const registry = (name: string, namespace = 'team') => ({ namespace, name, uid: randomUUID() });

function deploymentOf({ namespace, name }: { namespace: string; name: string }): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name: deploymentName(name, 'server'), uid: randomUUID() },
    spec: { template: { metadata: { annotations } } },
    status: { replicas: 1, updatedReplicas: 1, readyReplicas: 0 },
  };
}

function waiting(name: string, of: string, reason: string, namespace = 'team'): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, uid: randomUUID(), labels: { [REGISTRY_LABEL]: of }, annotations },
    status: { containerStatuses: [{ name: 'registry-api', state: { waiting: { reason, message: reason } } }] },
  };
}

it('explains a server by its own pods, whatever pods another registry or namespace has', () => {
  const index = new WorkloadIndex();
  const [mine, other, namesake] = [registry('mine'), registry('other'), registry('mine', 'elsewhere')];
  for (const each of [mine, other, namesake]) index.noteDeployment(each, deploymentOf(each));
  index.notePod(waiting('a', 'mine', 'ErrImagePull'));
  index.notePod(waiting('b', 'other', 'CrashLoopBackOff'));
  index.notePod(waiting('a', 'mine', 'CreateContainerConfigError', 'elsewhere'));
  const reasons = [mine, other, namesake].map((each) => JSON.stringify(index.workloadOf(each)));
  expect(reasons[0]).toContain('ErrImagePull');
  expect(reasons[1]).toContain('CrashLoopBackOff');
  expect(reasons[2]).toContain('CreateContainerConfigError');
});

it('reads no pod of another registry for an event, so that its cost does not grow with the cluster', () => {
  const index = new WorkloadIndex();
  const mine = registry('mine');
  index.noteDeployment(mine, deploymentOf(mine));
  let reads = 0;
  const counted = (pod: Pod): Pod => ({
    ...pod,
    status: new Proxy(pod.status!, {
      get(target, key, receiver) {
        reads++;
        return Reflect.get(target, key, receiver);
      },
    }),
  });
  for (let n = 0; n < 1_000; n++) index.notePod(counted(waiting(`pod-${n}`, `other-${n}`, 'ErrImagePull')));
  index.notePod(waiting('mine-0', 'mine', 'ErrImagePull'));
  reads = 0;
  expect(index.workloadOf(mine)).toMatchObject({ live: false });
  expect(index.forgetPod({ namespace: 'team', name: 'mine-0' })).toEqual(new Set(['mine']));
  expect(reads).toBe(0);
});

it('moves a pod to the registry of its new label, and forgets it when it is deleted', () => {
  const index = new WorkloadIndex();
  const [mine, other] = [registry('mine'), registry('other')];
  for (const each of [mine, other]) index.noteDeployment(each, deploymentOf(each));
  const without = [mine, other].map((each) => index.workloadOf(each));
  expect(index.notePod(waiting('a', 'mine', 'ErrImagePull'))).toEqual(new Set(['mine']));
  expect(index.notePod(waiting('a', 'other', 'ErrImagePull'))).toEqual(new Set(['mine', 'other']));
  expect(index.workloadOf(mine)).toEqual(without[0]);
  expect(index.workloadOf(other)).not.toEqual(without[1]);
  expect(index.forgetPod({ namespace: 'team', name: 'a' })).toEqual(new Set(['other']));
  expect(index.forgetPod({ namespace: 'team', name: 'a' })).toEqual(new Set());
  expect([mine, other].map((each) => index.workloadOf(each))).toEqual(without);
});
