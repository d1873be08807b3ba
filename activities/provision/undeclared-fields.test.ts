import { describe, expect, it } from 'vitest';
import { undeclaredFields, withoutFields } from './undeclared-fields.js';

const refusal = `apply Deployment a/b: failed to create typed patch object (a/b; apps/v1, Kind=Deployment): errors:
  .spec.template.spec.containers[name="registry-api"].ports[containerPort=80,protocol="TCP"].nam: field not declared in schema
  .spec.template.spec.containers[name="side"].volumeMounts[mountPath="/a.b[c]"].x: field not declared in schema
  .spec.template.spec.nodeSelektor: field not declared in schema
  .spec.strategie: field not declared in schema
  .spec.template.spec.tolerations: expected list, got &{x}`;

const template = {
  metadata: { labels: { a: 'b' } },
  spec: {
    nodeSelektor: { a: 'b' },
    containers: [
      { name: 'registry-api', nam: 'kept', ports: [{ containerPort: 80, protocol: 'TCP', nam: 'x' }] },
      { name: 'side', volumeMounts: [{ mountPath: '/a.b[c]', name: 'v', x: {} }] },
    ],
  },
};

describe('fields that the API server does not know', () => {
  const paths = undeclaredFields(refusal);

  it('are read from its rejection, as far as they are in the pod template', () => {
    expect(paths).toEqual([
      'spec.containers[name="registry-api"].ports[containerPort=80,protocol="TCP"].nam',
      'spec.containers[name="side"].volumeMounts[mountPath="/a.b[c]"].x',
      'spec.nodeSelektor',
    ]);
  });

  it('are read from a rejection with only one of them', () => {
    const message =
      'failed to create typed patch object (a/b; apps/v1, Kind=Deployment): .spec.template.spec.x: field not declared in schema';
    expect(undeclaredFields(message)).toEqual(['spec.x']);
  });

  it('are removed, and nothing else', () => {
    expect(withoutFields(template, paths)).toEqual({
      metadata: template.metadata,
      spec: {
        containers: [
          { name: 'registry-api', nam: 'kept', ports: [{ containerPort: 80, protocol: 'TCP' }] },
          { name: 'side', volumeMounts: [{ mountPath: '/a.b[c]', name: 'v' }] },
        ],
      },
    });
  });

  it('may be missing in the template', () => {
    expect(withoutFields({ spec: {} }, paths)).toEqual({ spec: {} });
  });
});
