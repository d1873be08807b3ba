import { inject } from 'vitest';
import { apply, kubectl, until } from './cluster.js';

/** Returns a catalogue file in the format of the official registry. */
export function upstreamCatalogue(names: readonly string[], version = '1.0.0'): string {
  const servers = names.map((name) => ({ name, description: `Serves ${name}`, version }));
  return JSON.stringify({ version: '1.0.0', meta: { last_updated: '2026-11-22T00:00:00Z' }, data: { servers } });
}

/** Creates a claim with its own volume, and writes one file to it from a pod. */
export async function writeToClaim(namespace: string, claim: string, path: string, content: string): Promise<void> {
  const writer = `${claim}-writer`;
  const capacity = { storage: '16Mi' };
  await apply(
    [
      {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: `${namespace}-${claim}` },
        spec: {
          capacity,
          accessModes: ['ReadWriteMany'],
          persistentVolumeReclaimPolicy: 'Delete',
          storageClassName: 'e2e-static',
          claimRef: { namespace, name: claim },
          hostPath: { path: `/var/tmp/mcp-registry-e2e/${namespace}-${claim}`, type: 'DirectoryOrCreate' },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: claim, namespace },
        spec: { accessModes: ['ReadWriteMany'], storageClassName: 'e2e-static', resources: { requests: capacity } },
      },
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: writer, namespace },
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          // Root, because it owns the folder that the node creates for the volume.
          securityContext: { runAsUser: 0 },
          containers: [
            {
              name: 'writer',
              image: inject('image'),
              imagePullPolicy: 'IfNotPresent',
              command: ['node', '--input-type=module', '-e', WRITER],
              env: [
                { name: 'FILE', value: `/volume/${path}` },
                { name: 'CONTENT', value: content },
              ],
              volumeMounts: [{ name: 'volume', mountPath: '/volume' }],
            },
          ],
          volumes: [{ name: 'volume', persistentVolumeClaim: { claimName: claim } }],
        },
      },
    ],
    undefined,
  );
  const phase = () => kubectl(['get', 'pod', writer, '--namespace', namespace, '--output', 'jsonpath={.status.phase}']);
  await until(`pod ${writer} has written`, phase, (seen) => seen === 'Succeeded');
  await kubectl(['delete', 'pod', writer, '--namespace', namespace, '--now']);
}

const WRITER = `
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
await mkdir(dirname(process.env.FILE), { recursive: true, mode: 0o755 });
await writeFile(process.env.FILE, process.env.CONTENT);
`;
