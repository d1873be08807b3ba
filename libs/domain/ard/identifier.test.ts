import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readIdentifier, registryIdentifier, toIdentifier, toPublisher } from './identifier.js';

const label = fc.stringMatching(/^[a-zA-Z0-9]([a-zA-Z0-9-]{0,8}[a-zA-Z0-9])?$/);
const namespace = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'));
const name = fc.tuple(namespace, fc.stringMatching(/^[a-zA-Z0-9._-]{1,12}$/)).map((parts) => parts.join('/'));

describe('the identifier of a server', () => {
  it.each([
    ['io.github.acme/search', 'urn:air:acme.github.io:server:search'],
    ['com.example/weather', 'urn:air:example.com:server:weather'],
    ['com.Example/Weather_2.0', 'urn:air:Example.com:server:Weather_2.0'],
    ['localhost/weather', undefined],
    ['com..example/weather', undefined],
    ['com.-example/weather', undefined],
    ['.com.example/weather', undefined],
    [`com.${'a'.repeat(64)}/weather`, undefined],
    [`${'a1234567.'.repeat(30)}com/weather`, undefined],
    ['weather', undefined],
    ['com.example/', undefined],
    ['com.example/a/b', undefined],
    ['com.example/é', undefined],
  ])('of %s is %s', (given, expected) => expect(toIdentifier(given)).toBe(expected));

  it('can be converted back to the name, matches the schema, and is unique', () => {
    fc.assert(
      fc.property(name, name, (one, other) => {
        const identifier = toIdentifier(one) as string;
        expect(identifier).toMatch(/^urn:air:[a-zA-Z0-9.-]+(:[a-zA-Z0-9._-]+)+$/);
        expect(readIdentifier(identifier)).toEqual({ kind: 'server', name: one });
        expect(readIdentifier(identifier.replace('urn:air:', 'urn:ai:'))).toEqual({ kind: 'server', name: one });
        expect(toIdentifier(other) === identifier).toBe(one === other);
      }),
    );
  });

  it.each([
    ['urn:air:example.com:server:weather:2', 'other'],
    ['urn:air:example.com:skill:weather', 'other'],
    ['urn:air:localhost:server:weather', 'other'],
    ['urn:air:example.com', 'malformed'],
    ['urn:air:example.com:server:', 'malformed'],
    ['URN:AIR:example.com:server:weather', 'malformed'],
    ['urn:air:example.com:server:weather\n', 'malformed'],
    ['com.example/weather', 'malformed'],
    ['', 'malformed'],
  ])('%j is %s', (text, kind) => expect(readIdentifier(text).kind).toBe(kind));

  it('reverses a namespace to the domain and back', () => {
    fc.assert(fc.property(namespace, (given) => void expect(toPublisher(toPublisher(given) as string)).toBe(given)));
  });
});

it.each([
  ['tools.example.com', 'urn:air:tools.example.com:registry:team'],
  ['localhost', 'urn:air:agent.localhost:registry:team'],
  ['127.0.0.1', 'urn:air:agent.localhost:registry:team'],
  ['[::1]', 'urn:air:agent.localhost:registry:team'],
])('the identifier of a registry at %s is %s', (host, expected) => {
  expect(registryIdentifier(host, 'team')).toBe(expected);
});
