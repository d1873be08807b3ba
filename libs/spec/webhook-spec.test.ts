import { describe, expect, it } from 'vitest';
import { parseRegistrySpec } from './registry-spec.js';
import { parseServerConfig, renderServerConfig } from './server-config.js';

const git = { repository: 'https://git.example.com/r.git' };

function specWith(webhooks: unknown) {
  return parseRegistrySpec({ auth: { mode: 'anonymous' }, registries: [{ name: 'ours', git }], webhooks });
}

const hook = (more: object = {}) => ({ name: 'push', type: 'github', secretRef: { name: 'hook' }, ...more });

describe('webhooks of a spec', () => {
  it('have the key token by default, and reach the server unchanged', () => {
    const read = specWith([hook({ sources: ['ours'] })]);
    if ('faults' in read) throw new Error(JSON.stringify(read.faults));
    const webhooks = [hook({ sources: ['ours'], secretRef: { name: 'hook', key: 'token' } })];
    expect(read.spec.webhooks).toEqual(webhooks);
    const text = renderServerConfig(read.spec, { namespace: 'default', name: 'team' });
    expect(parseServerConfig(text)).toMatchObject({ spec: { webhooks } });
  });

  it.each([
    [[hook({ sources: ['our'] })], 'is not a source that is synced: did you mean ours?'],
    [[hook({ sources: ['elsewhere'] })], 'is not a source that is synced: remove it, or use one of ours'],
    [[hook(), hook()], 'is also the name of item 0'],
    [[hook({ type: 'svn' })], 'github'],
    [[hook({ secretRef: undefined })], 'required'],
    [[hook({ name: 'Push' })], 'must be lower-case letters'],
    [Array.from({ length: 11 }, (_, at) => hook({ name: `h${at}` })), '10'],
  ])('are refused with a remedy: %j', (webhooks, message) => {
    const read = specWith(webhooks);
    if (!('faults' in read)) throw new Error('the spec was accepted');
    expect(JSON.stringify(read.faults)).toContain(message);
  });

  it('must not refer to a managed source', () => {
    const read = parseServerConfig(
      JSON.stringify({
        auth: { mode: 'anonymous' },
        database: { host: 'db', port: 5432 },
        registries: [{ name: 'ours', managed: {} }],
        webhooks: [hook({ sources: ['ours'] })],
      }),
    );
    if (!('faults' in read)) throw new Error('the configuration was accepted');
    expect(JSON.stringify(read.faults)).toContain('is not a source that is synced: remove it');
  });
});
