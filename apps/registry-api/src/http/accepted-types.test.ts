import { describe, expect, it } from 'vitest';
import { acceptsJson } from './accepted-types.js';

describe('a client that accepts', () => {
  it.each([
    ['*/*'],
    ['application/*'],
    ['APPLICATION/JSON'],
    ['application/json; charset=utf-8'],
    ['application/json;q=0.1, text/html'],
    ['text/html, */*;q=0.1'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'],
    ['application/*;q=0, application/json'],
    [''],
    ['json'],
    ['application/problem+json'],
    ['application/vnd.mcp.registry.v1+json;q=0.5, text/html'],
  ])('%j gets JSON', (accept) => expect(acceptsJson(accept)).toBe(true));

  it.each([
    ['text/html'],
    ['text/html, application/xml'],
    ['application/json;q=0, */*'],
    ['application/json; Q=0.000, application/*'],
    ['application/*;q=0, */*'],
    ['*/*;q=0'],
    ['application/jsonp'],
    ['application/problem+json;q=0'],
    ['text/json+html'],
  ])('%j does not get JSON', (accept) => expect(acceptsJson(accept)).toBe(false));
});
