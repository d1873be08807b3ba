import { describe, expect, it } from 'vitest';
import { redirectTarget } from './redirect-target.js';

describe('the target of a redirect', () => {
  it('may be relative, and may become safer', () => {
    expect(redirectTarget(new URL('https://a.example/x/y?z=1'), '../v').href).toBe('https://a.example/v');
    expect(redirectTarget(new URL('http://a.example/x'), 'https://b.example/').href).toBe('https://b.example/');
  });

  it('must not be less safe, and no password in it is told', () => {
    const refused = () => redirectTarget(new URL('https://a.example/x'), 'http://user:secret@a.example/x?key=secret');
    expect(refused).toThrow('https://a.example/x redirects from https to http://a.example/x: use the final URL.');
  });
});
