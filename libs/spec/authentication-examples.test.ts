import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { projectRoot } from '#environment/project-root.js';
import { parseRegistrySpec } from './registry-spec.js';

const page = await readFile(new URL('docs/authentication.md', projectRoot), 'utf8');
const sections = page.split(/^###? /m).slice(1);
const blocks = sections.flatMap((section) => {
  const [heading = ''] = section.split('\n', 1);
  return Array.from(section.matchAll(/^```yaml\n([^]*?)^```$/gm), ([, yaml = '']): [string, string] => [heading, yaml]);
});

it('has an example for each of the usual providers', () => {
  const headings = blocks.map(([heading]) => heading);
  expect(headings).toEqual(
    expect.arrayContaining(['Keycloak', 'Auth0', 'Entra ID (Azure AD)', 'Okta', 'Kubernetes service accounts']),
  );
});

it.each(blocks)('contains a valid spec for %s', (_heading, yaml) => {
  const read = parseRegistrySpec(parse(yaml));
  expect(read).not.toHaveProperty('faults');
  expect(read).toMatchObject({
    spec: { auth: { mode: 'oauth', oauth: { providers: [{ issuerUrl: expect.any(String) }] } } },
  });
});
