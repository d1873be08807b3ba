import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Fields } from '#domain/fields.js';
import { projectRoot } from '#environment/project-root.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { NAMESPACE_LABEL, podLabels } from './desired/naming.js';
import { toNetworkPolicy } from './desired/network-policy.js';
import { blueprint } from './testing/blueprint.js';

/**
 * Evaluates every NetworkPolicy that the project ships or creates as a cluster does: which pod may connect to which
 * port of which pod. The objects themselves are evaluated, because the network of a test cluster may not enforce
 * policies.
 */

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
}

interface Policy extends KubernetesObject {
  readonly spec: {
    readonly podSelector: Selector;
    readonly policyTypes: readonly string[];
    readonly ingress: readonly {
      readonly from?: readonly { readonly namespaceSelector?: Selector; readonly podSelector?: Selector }[];
      readonly ports?: readonly { readonly port: number | string }[];
    }[];
  };
}

interface Pod {
  readonly namespace: string;
  /** Labels of the namespace, in addition to the one with its name, which every namespace has. */
  readonly namespaceLabels?: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

const matches = ({ matchLabels = {} }: Selector, labels: Readonly<Record<string, string>>) =>
  Object.entries(matchLabels).every(([key, value]) => labels[key] === value);

/** The container ports by name, because policies may refer to ports by name. */
const PORTS: Readonly<Record<string, number>> = { metrics: 8080, health: 8081, frontend: 7233, ui: 8233 };

function admits(policy: Policy, client: Pod, port: number): boolean {
  const { namespace } = policy.metadata;
  const namespaceLabels = { ...client.namespaceLabels, 'kubernetes.io/metadata.name': client.namespace };
  return policy.spec.ingress.some(
    ({ from, ports }) =>
      (!ports || ports.some((each) => (PORTS[each.port] ?? each.port) === port)) &&
      (!from ||
        from.some(
          ({ namespaceSelector, podSelector = {} }) =>
            (namespaceSelector ? matches(namespaceSelector, namespaceLabels) : client.namespace === namespace) &&
            matches(podSelector, client.labels),
        )),
  );
}

async function readPolicy(file: string): Promise<Policy> {
  const text = await readFile(new URL(`deploy/manifests/${file}`, projectRoot), 'utf8');
  const objects = parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject);
  return objects.find(({ kind }) => kind === 'NetworkPolicy') as Policy;
}

/** Returns the pod labels of the Deployment in a manifest. */
async function podLabelsIn(file: string): Promise<Readonly<Record<string, string>>> {
  const text = await readFile(new URL(`deploy/manifests/${file}`, projectRoot), 'utf8');
  const objects = parseAllDocuments(text).map(
    (document) =>
      document.toJS() as { kind: string; spec: { template: { metadata: { labels: Record<string, string> } } } },
  );
  return objects.find(({ kind }) => kind === 'Deployment')!.spec.template.metadata.labels;
}

const marked = { [NAMESPACE_LABEL]: 'true' };
const operator: Pod = {
  namespace: 'toolhive-system',
  labels: { 'app.kubernetes.io/name': 'toolhive-operator', 'app.kubernetes.io/instance': 'toolhive-operator' },
};
const registry: Pod = { namespace: 'team', namespaceLabels: marked, labels: podLabels('tools', 'server') };
const neighbour: Pod = { namespace: 'team', namespaceLabels: marked, labels: { app: 'web' } };
/** A pod of a tenant, who can choose any labels for pods but none for the namespace. */
const pretender: Pod = { namespace: 'other', labels: { ...registry.labels, ...operator.labels } };
const prometheus: Pod = { namespace: 'monitoring', labels: { app: 'prometheus' } };
const reader: Pod = { ...registry, labels: podLabels('tools', 'reader') };

const scrapers = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }];

const policyOf = (clients: readonly Fields[], spec: object = {}): Policy => {
  const made = toNetworkPolicy(blueprint(spec), { clients, metrics: scrapers }) as Policy;
  return { ...made, metadata: { ...made.metadata, namespace: 'team' } };
};

describe('the NetworkPolicy of the operator', () => {
  it('admits only readers of metrics', async () => {
    const policy = await readPolicy('operator.yaml');
    expect(policy.spec.policyTypes).toEqual(['Ingress']);
    expect(matches(policy.spec.podSelector, await podLabelsIn('operator.yaml'))).toBe(true);
    expect([prometheus, operator].map((client) => admits(policy, client, 8080))).toEqual([true, true]);
    for (const client of [registry, neighbour, pretender]) expect(admits(policy, client, 8080)).toBe(false);
    for (const client of [prometheus, registry, pretender]) expect(admits(policy, client, 8081)).toBe(false);
  });
});

describe('the NetworkPolicy of the development server of Temporal', () => {
  it('admits the operator, and registry pods in namespaces that the operator has labelled', async () => {
    const policy = await readPolicy('temporal-dev.yaml');
    expect(policy.spec.policyTypes).toEqual(['Ingress']);
    expect(matches(policy.spec.podSelector, await podLabelsIn('temporal-dev.yaml'))).toBe(true);
    expect([operator, registry].map((client) => admits(policy, client, 7233))).toEqual([true, true]);
    for (const client of [neighbour, pretender, prometheus]) expect(admits(policy, client, 7233)).toBe(false);
    for (const client of [operator, registry, pretender]) expect(admits(policy, client, 8233)).toBe(false);
  });
});

describe('the NetworkPolicy of a registry', () => {
  it('selects only the pods of that registry, by labels that no pod template can change', () => {
    const { podSelector, policyTypes } = policyOf([]).spec;
    expect(policyTypes).toEqual(['Ingress']);
    expect(matches(podSelector, registry.labels)).toBe(true);
    expect(matches(podSelector, podLabels('another', 'server'))).toBe(false);
    expect(matches(podSelector, neighbour.labels)).toBe(false);
  });

  it('admits every client to the API if no clients are configured, and readers of metrics only to the metrics', () => {
    const policy = policyOf([]);
    for (const client of [neighbour, pretender]) {
      expect([8080, 8081, 7233].map((port) => admits(policy, client, port))).toEqual([true, false, false]);
    }
    expect(admits(policy, prometheus, 8081)).toBe(true);
  });

  it('admits only the configured clients and its own read-only servers', () => {
    const clients = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ingress' } } }];
    const ingress: Pod = { namespace: 'ingress', labels: {} };
    const policy = policyOf(clients);
    expect(admits(policy, ingress, 8080)).toBe(true);
    for (const client of [neighbour, pretender, prometheus]) expect(admits(policy, client, 8080)).toBe(false);
    const withReaders = policyOf(clients, { server: { readers: 2 } });
    expect(admits(withReaders, reader, 8080)).toBe(true);
    expect(admits(withReaders, { ...pretender, labels: reader.labels }, 8080)).toBe(false);
    expect(admits(withReaders, neighbour, 8080)).toBe(false);
  });
});
