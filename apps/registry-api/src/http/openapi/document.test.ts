import 'reflect-metadata';
import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { describe, expect, it } from 'vitest';
import { publicControllers } from '../index.js';
import { apiDocument, genericDocument, operations } from './document.js';

/** Returns routes such as `GET /v1/sources/{}`, in the same notation as for documented paths. */
function routesOf(controller: new (...args: never[]) => object): string[] {
  const paths = (target: object) => [Reflect.getMetadata(PATH_METADATA, target) ?? ''].flat() as string[];
  const handlers = Object.values(Object.getOwnPropertyDescriptors(controller.prototype))
    .map(({ value }) => value as object)
    .filter((value) => typeof value === 'function' && Reflect.hasMetadata(METHOD_METADATA, value));
  return handlers.flatMap((handler) => {
    const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as number];
    return paths(controller).flatMap((root) => paths(handler).map((path) => `${method} ${shape(`/${root}/${path}`)}`));
  });
}

const shape = (path: string) =>
  path
    .replaceAll(/\/{2,}/g, '/')
    .replace(/(.)\/$/, '$1')
    .replaceAll(/:\w+|\{\w+\}/g, '{}');

/**
 * Routes that are not documented: other spellings of documented paths, routes that only browsers and readers of
 * documents request, and routes that always return 501.
 */
const SPELLINGS =
  /(?<!\/extension)\/v0(\/|$)|\/servers\/\{\}\/\{\}\/(?:versions|status)|^PUT |openapi\.|\/docs$|\/reference|protected-resource\/\*|GET \/$|\/console\/\{\}/;

describe('the OpenAPI document', () => {
  it('describes every route, and nothing else', () => {
    const routed = new Set(publicControllers.flatMap(routesOf).filter((route) => !SPELLINGS.test(route)));
    const documented = new Set(operations.map(({ method, path }) => `${method.toUpperCase()} ${shape(path)}`));
    expect([...documented].sort()).toEqual([...routed].sort());
  });

  it('gives every operation a unique name, and every path parameter a description', () => {
    const ids = operations.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, parameters = [] } of operations) {
      const named = Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => name);
      expect(parameters.filter((each) => each.in === 'path').map(({ name }) => name)).toEqual(named);
    }
  });

  it('refers only to schemas that it contains', () => {
    const { components } = apiDocument() as { components: { schemas: object } };
    const references = JSON.stringify(apiDocument()).matchAll(/"#\/components\/schemas\/(\w+)"/g);
    for (const [, name] of references) expect(components.schemas).toHaveProperty(name!);
  });

  it('is one that mirrors of the generic registry API accept', () => {
    for (const document of [apiDocument(), genericDocument()]) {
      expect(document).toMatchObject({
        info: { version: '1.0.0', description: expect.stringContaining('github.com/modelcontextprotocol/registry') },
      });
    }
  });
});
