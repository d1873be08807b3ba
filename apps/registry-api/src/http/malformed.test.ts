import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ExploreRequestSchema } from '#domain/ard/search-request.js';
import { toMalformed } from './malformed.js';

const explore = (facet: object) => ({ resultType: { facets: [facet] } });

describe('a malformed request', () => {
  it.each([
    [z.object({ name: z.string() }), {}, 'name is missing'],
    [z.object({ names: z.array(z.string()).min(2) }), { names: ['a'] }, 'names must have at least 2 items'],
    [ExploreRequestSchema, explore({ field: 'tags', limit: 0 }), 'resultType facets 0 limit must be at least 1'],
    [ExploreRequestSchema, explore({ field: 'tags', limit: 1.5 }), 'limit must be a whole number'],
    [ExploreRequestSchema, explore({ field: 'tags', minCount: '2' }), 'minCount must be a number'],
    [ExploreRequestSchema, explore({}), 'field is missing'],
  ])('is answered in plain words: %#', async (schema, request, message) => {
    const { issues = [] } = await schema['~standard'].validate(request);
    const problem = toMalformed(issues as never);
    expect(problem.message).toContain(message);
    expect(problem.message).not.toMatch(/Invalid|Too|expected/);
  });
});
