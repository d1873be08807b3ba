/**
 * Manifests with exactly one error each, for the tests of the parser and of everything that must report the same
 * errors.
 */

/** A valid manifest, called `a.yaml` in the tables. */
export const REGISTRY = `apiVersion: toolhive.stacklok.dev/v1alpha1
kind: MCPRegistry
metadata:
  name: tools
spec:
  auth: { mode: anonymous }
  registries:
    - name: main
      git: { repository: https://git.example.com/a.git }
`;

/** Edits of the valid manifest: the replaced text, its replacement, and words of the error message. */
export const FAULTY_EDITS: readonly (readonly [good: string, bad: string, words: string])[] = [
  ['name: tools', 'name: 1tools', 'a.yaml:4: metadata.name: "1tools" must be lower-case'],
  ['name: tools', 'name: a.b', 'a.yaml:4: metadata.name: "a.b" must be lower-case'],
  ['name: tools', `name: ${'a'.repeat(51)}`, 'must have at most 50 characters'],
  ['  name: tools', '  labels: {}', 'a.yaml:3: metadata.name: is required'],
  ['name: tools', 'name: tools\n  namespace: Team', 'a.yaml:5: metadata.namespace: "Team" must be lower-case'],
  [
    'name: tools',
    'name: tools\n  namespace: registry',
    'a.yaml:5: metadata.namespace: "registry" is a path of the API itself',
  ],
  ['name: tools', 'name: tools\n  namespace: v0', 'a.yaml:5: metadata.namespace: "v0" is a path of the API itself'],
  [
    'name: tools',
    'name: tools\n  annotations:\n    x: 5',
    'a.yaml:6: metadata.annotations.x: 5 must be text: put it in quotes',
  ],
  ['v1alpha1', 'v2', 'a.yaml:1: apiVersion: "toolhive.stacklok.dev/v2" must be one of toolhive.stacklok.dev/v1alpha1'],
  ['mode: anonymous', 'mode: open', 'a.yaml:6: spec.auth.mode: "open" must be one of'],
  ['mode: anonymous', 'mod: anonymous', 'a.yaml:6: spec.auth.mod: is not a field here: did you mean mode?'],
  ['https://git', 'git', 'a.yaml:9: spec.registries[0].git.repository: "git.example.com/a.git" must start with'],
  ['spec:', 'sepc:', 'a.yaml:5: sepc: is not a field here: did you mean spec?'],
  ['- name: main', '- name: main\n      name: other', 'a.yaml:9: is not YAML: a key appears twice in one object'],
  ['kind: MCPRegistry\n', '', 'a.yaml:1: kind: is required'],
  ['{ mode: anonymous }', '*missing', 'a.yaml:'],
];

/** Secrets with errors whose messages must not contain the value 4711. */
export const FAULTY_SECRETS: readonly string[] = [
  `kind: Secret\napiVersion: v1\nmetadata: { name: a }\nstringData: { pin: 4711 }\n`,
  `kind: Secret\napiVersion: v1\nmetadata: { name: a }\ndata: { pin: '4711' }\n`.replace('4711', '4711!'),
  `kind: Secret\napiVersion: v1\nmetadata: { name: a }\nstringdata: { pin: '4711' }\n`,
  `kind: Secret\napiVersion: v1\nmetadata: { name: a }\nstringData:\n  pin: "4711\n`,
  `kind: Secret\napiVersion: v1\nmetadata: { name: a }\nstringData:\n  - 4711: [\n`,
];

/** YAML aliases that would expand without bound. */
export const ALIAS_BOMB = (() => {
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
  for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg'])
    bomb.push(`${to}: &${to} [${Array(10).fill(`*${from}`).join()}]`);
  return bomb.join('\n');
})();
