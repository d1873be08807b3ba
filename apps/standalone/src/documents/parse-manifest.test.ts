import { describe, expect, it } from 'vitest';
import { formatDocumentFault } from './document-fault.js';
import { parseManifest } from './parse-manifest.js';
import { ALIAS_BOMB, FAULTY_EDITS, FAULTY_SECRETS, REGISTRY as registry } from './testing/faulty-manifests.js';

const faultsOf = (text: string) => parseManifest(text, 'a.yaml').faults.map(formatDocumentFault);
const kindsOf = (text: string) => parseManifest(text, 'a.yaml').entries.map(({ kind }) => kind);

describe('a manifest', () => {
  it('has registries in the namespace of their metadata, or in default', () => {
    const { entries, faults } = parseManifest(
      `${registry}---\n${registry.replace('name: tools', 'name: more\n  namespace: team-a')}`,
      'a.yaml',
    );
    expect(faults).toEqual([]);
    expect(entries).toMatchObject([
      { kind: 'MCPRegistry', namespace: 'default', name: 'tools', file: 'a.yaml', line: 1, triggerToken: undefined },
      { kind: 'MCPRegistry', namespace: 'team-a', name: 'more', file: 'a.yaml', line: 11 },
    ]);
    expect(entries[0]).toHaveProperty('spec.registries.0.name', 'main');
  });

  it('may be of either version', () => {
    expect(kindsOf(registry.replace('v1alpha1', 'v1beta1'))).toEqual(['MCPRegistry']);
  });

  it('may be JSON, indented with tabs', () => {
    const json = JSON.stringify(
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { k: 'v' } },
      null,
      '\t',
    );
    expect(parseManifest(json, 'a.json')).toMatchObject({ entries: [{ kind: 'ConfigMap', name: 'a' }], faults: [] });
  });

  it('may contain the output of kubectl get: a list of objects with status', () => {
    const item = `${registry}status: { phase: Ready }\n`.replaceAll('\n', '\n    ').trimEnd();
    const list = `apiVersion: v1\nkind: List\nitems:\n  - ${item}\n  - ${item.replace('tools', 'TOOLS')}\n`;
    expect(kindsOf(list)).toEqual(['MCPRegistry', 'Faulty']);
    expect(faultsOf(list)).toEqual([expect.stringMatching(/^a.yaml:17: metadata.name: "TOOLS" must be/)]);
  });

  it('has the trigger as an annotation, under two names', () => {
    const annotated = (annotations: string) =>
      parseManifest(registry.replace('name: tools', `name: tools\n  annotations: ${annotations}`), 'a.yaml').entries;
    expect(annotated("{ toolhive.stacklok.dev/sync-trigger: '1' }")).toMatchObject([{ triggerToken: '1' }]);
    expect(annotated("{ toolhive.stacklok.dev/manual-sync: 'x' }")).toMatchObject([{ triggerToken: 'x' }]);
    expect(annotated("{ toolhive.stacklok.dev/sync-trigger: '' }")).toMatchObject([{ triggerToken: undefined }]);
  });

  it('has ConfigMaps and Secrets with text and binary values', () => {
    const { entries, faults } = parseManifest(
      `apiVersion: v1
kind: ConfigMap
metadata: { name: data, namespace: team-a }
data: { a.json: '{"ü": 1}' }
binaryData: { b.gz: H4sA }
---
apiVersion: v1
kind: Secret
metadata: { name: login }
type: Opaque
data: { password: b2xk, user: bWU= }
stringData: { password: new }
`,
      'a.yaml',
    );
    expect(faults).toEqual([]);
    expect(entries).toEqual([
      {
        kind: 'ConfigMap',
        namespace: 'team-a',
        name: 'data',
        file: 'a.yaml',
        line: 1,
        data: new Map([
          ['a.json', Buffer.from('{"ü": 1}')],
          ['b.gz', Buffer.from([0x1f, 0x8b, 0x00])],
        ]),
      },
      {
        kind: 'Secret',
        namespace: 'default',
        name: 'login',
        file: 'a.yaml',
        line: 7,
        data: new Map([
          ['password', Buffer.from('new')],
          ['user', Buffer.from('me')],
        ]),
      },
    ]);
  });

  it('may begin with a YAML directive and a comment', () => {
    expect(parseManifest(`%YAML 1.2\n# tools\n---\n${registry}...\n`, 'a.yaml')).toMatchObject({
      entries: [{ kind: 'MCPRegistry', line: 4 }],
      faults: [],
    });
  });

  it('ignores other kinds and empty documents', () => {
    const manifest = parseManifest(
      `---\n# nothing\n---\napiVersion: apps/v1\nkind: Deployment\n---\n${registry}`,
      'a.yaml',
    );
    expect(manifest.entries).toMatchObject([{ kind: 'MCPRegistry' }]);
    expect(manifest.faults).toEqual([]);
    expect(manifest.notices.map(formatDocumentFault)).toEqual([
      expect.stringMatching(/^a.yaml:5: Deployment is ignored/),
    ]);
  });

  it('reports volumes, which are mounted only in a cluster', () => {
    const head = registry.slice(0, registry.indexOf('  auth:'));
    const raw = `${head}  configYAML: "auth: {mode: anonymous}"\n`;
    const mounts =
      '  volumes:\n    - { name: a, emptyDir: {} }\n  volumeMounts:\n    - { name: a, mountPath: /data }\n';
    expect(parseManifest(raw, 'a.yaml').notices).toEqual([]);
    const manifest = parseManifest(raw + mounts, 'a.yaml');
    expect(manifest.entries).toMatchObject([{ kind: 'MCPRegistry' }]);
    expect(manifest.notices.map(formatDocumentFault)).toEqual([
      expect.stringMatching(/^a.yaml:9: spec.volumeMounts: mounts nothing outside of a cluster: .*\/data/),
    ]);
  });

  it.each([
    ['Secret', 'stringData: { a: "ENC[AES256_GCM,data:4711,type:str]" }'],
    ['Secret', 'data: { a: "ENC[AES256_GCM,data:4711,type:str]" }'],
    ['Secret', 'stringData: { a: "ENC[PKCS7,4711]" }'],
    ['ConfigMap', 'data: { a: "ENC[AES256_GCM,data:4711,type:str]" }'],
    ['ConfigMap', 'sops: { version: 3.9.0 }'],
    ['Secret', 'sops: { version: 3.9.0 }'],
  ])('detects encryption in a %s with %s', (kind, line) => {
    const faults = faultsOf(`apiVersion: v1\nkind: ${kind}\nmetadata: { name: a }\n${line}\n`);
    expect(faults).toEqual([expect.stringMatching(/^a.yaml:4: .*is encrypted .*decrypt/)]);
    expect(faults.join()).not.toMatch(/4711|remove/);
  });

  it.each(FAULTY_EDITS)('with %j as %j is rejected: %s', (good, bad, fault) => {
    expect(faultsOf(registry.replace(good, bad)).join('\n')).toContain(fault);
  });

  it('reads the other documents despite an invalid one, and reports each error', () => {
    const text = [
      registry.replace('anonymous', 'open'),
      'kind: "MCPRegistry\n',
      registry,
      registry.replace('- name: main', '- nam: x'),
    ].join('---\n');
    expect(kindsOf(text)).toEqual(['Faulty', 'Unreadable', 'MCPRegistry', 'Faulty']);
    expect(faultsOf(text)).toEqual([
      expect.stringMatching(/^a.yaml:6: spec.auth.mode/),
      expect.stringMatching(/^a.yaml:1[12]: is not YAML/),
      expect.stringMatching(/^a.yaml:30: spec.registries\[0\].name: is required/),
      expect.stringMatching(/^a.yaml:30: spec.registries\[0\].nam: /),
    ]);
  });

  it('is rejected if aliases would make it grow without bound', () => {
    expect(faultsOf(ALIAS_BOMB)).toEqual([expect.stringContaining('too many aliases')]);
  });

  it.each(FAULTY_SECRETS)('never shows the content of an invalid Secret: %#', (text) => {
    expect(faultsOf(text)).not.toEqual([]);
    expect(faultsOf(text).join()).not.toContain('4711');
  });
});
