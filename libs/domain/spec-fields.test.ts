import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { configMapKeyRef, goDurationField, httpUrl, cataloguePath, secretKeyRef, sourceName } from './spec-fields.js';

function messages(schema: z.ZodType, value: unknown): string[] {
  return schema.safeParse(value).error?.issues.map(({ message }) => message) ?? [];
}

describe('fields of the spec', () => {
  it.each<[string, z.ZodType, unknown]>([
    ['minutes', goDurationField, '30m'],
    ['a compound duration', goDurationField, '1h30m'],
    ['decimals', goDurationField, '1.5h'],
    ['microseconds', goDurationField, '250µs'],
    ['a nested path', cataloguePath, 'pkg/registry/data/registry.json'],
    ['a folder', cataloguePath, 'registries/toolhive/servers'],
    ['a pattern of YAML files', cataloguePath, 'servers/**/*.y[a]ml'],
    ['dots in a file name', cataloguePath, 'a..b/registry.v1.json'],
    ['an https URL', httpUrl, 'https://registry.example.com/base/'],
    ['an http URL with port', httpUrl, 'http://a-api.tools:8080/registry/x'],
    ['a source name of one letter', sourceName, 'a'],
    ['a source name with inner punctuation', sourceName, 'My.team_catalogue-2'],
    ['a Secret reference', secretKeyRef, { name: 'git.creds', key: 'pass_word', optional: true }],
    ['a ConfigMap reference', configMapKeyRef, { name: 'data', key: '.registry.json' }],
  ])('accepts %s', (_, schema, value) => {
    expect(schema.safeParse(value)).toMatchObject({ success: true, data: value });
  });

  it.each<[z.ZodType, unknown, string]>([
    [goDurationField, '', 'such as 90s, 30m or 1h30m'],
    [goDurationField, '30', 'such as 90s, 30m or 1h30m'],
    [goDurationField, '1d', 'such as 90s, 30m or 1h30m'],
    [goDurationField, '-5m', 'such as 90s, 30m or 1h30m'],
    [goDurationField, '30m ', 'such as 90s, 30m or 1h30m'],
    [goDurationField, '0s', 'must be longer than zero'],
    [goDurationField, '0h0m', 'must be longer than zero'],
    [goDurationField, '9999999999h', 'must be at most 292 years'],
    [cataloguePath, 'registry.yaml', 'must be a .json file, a folder, or a pattern'],
    [cataloguePath, 'servers/[a/server.json', 'is not a pattern'],
    [cataloguePath, '/etc/registry.json', 'must be relative'],
    [cataloguePath, '../registry.json', 'must not contain ".."'],
    [cataloguePath, 'a/../../registry.json', 'must not contain ".."'],
    [httpUrl, 'ftp://example.com', 'must start with http:// or https://'],
    [httpUrl, 'https://', 'must be a complete URL'],
    [httpUrl, 'https://me:pw@example.com', 'must not contain a user name or password'],
    [httpUrl, 'https://:pw@example.com', 'must not contain a user name or password'],
    [sourceName, '../x', 'must begin and end with a letter or digit'],
    [sourceName, 'x/y', 'only letters, digits'],
    [sourceName, '', 'must begin and end with a letter or digit'],
    [secretKeyRef, { name: '', key: 'k' }, 'must be the name of an object in the same namespace'],
    [secretKeyRef, { name: 'other/secret', key: 'k' }, 'must be the name of an object in the same namespace'],
    [secretKeyRef, { name: 's', key: '' }, 'must be a key of its data'],
    [secretKeyRef, { name: 's', key: '../k' }, 'must be a key of its data'],
    [configMapKeyRef, { name: 's', key: '..data' }, 'must not start with ".."'],
  ])('refuses %#: %j with a remedy', (schema, value, remedy) => {
    expect(messages(schema, value)[0]).toContain(remedy);
  });

  it.each<[string, z.ZodType, (length: number) => string, number]>([
    ['intervals', goDurationField, (length) => 's'.padStart(length, '1'), 64],
    ['paths', cataloguePath, (length) => '.json'.padStart(length, 'a'), 1024],
    ['URLs', httpUrl, (length) => 'https://a.example/'.padEnd(length, 'a'), 2048],
    ['source names', sourceName, (length) => 'a'.repeat(length), 63],
  ])('limits the length of %s', (_, schema, text, limit) => {
    expect(messages(schema, text(limit + 1))).toContainEqual(expect.stringContaining(String(limit)));
    expect(messages(schema, text(limit)).join()).not.toContain(`<=${limit}`);
  });

  it('refuses a field that a reference does not have', () => {
    expect(secretKeyRef.safeParse({ name: 's', key: 'k', namespace: 'other' }).success).toBe(false);
  });
});
