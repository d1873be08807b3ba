import 'reflect-metadata';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { OpenApiController } from './openapi.controller.js';

describe('OpenApiController', () => {
  it.each([
    ['the whole document', 'json', 'yaml'],
    ['the generic part', 'genericJson', 'genericYaml'],
  ] as const)('returns %s in each syntax, whichever was requested first', async (_, json, yaml) => {
    for (const order of [[json, yaml] as const, [yaml, json] as const]) {
      const controller = new OpenApiController();
      const texts = new Map<string, string>();
      for (const name of order) texts.set(name, String(await controller[name]()));
      const document: unknown = JSON.parse(texts.get(json) ?? '');
      expect(texts.get(yaml)).toMatch(/^openapi: /);
      expect(parse(texts.get(yaml) ?? '')).toEqual(document);
    }
  });
});
