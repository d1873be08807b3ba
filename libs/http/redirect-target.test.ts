import { describe, expect, it } from 'vitest';
import { redirectTarget } from './redirect-target.js';

describe('the target of a redirect', () => {
  it('may be relative, and may become more secure', () => {
    expect(redirectTarget(new URL('https://a.example/x/y?z=1'), '../v').href).toBe('https://a.example/v');
    expect(redirectTarget(new URL('http://a.example/x'), 'https://b.example/').href).toBe('https://b.example/');
  });

  it('must not become less secure, and never shows a password', () => {
    const refused = () => redirectTarget(new URL('https://a.example/x'), 'http://user:secret@a.example/x?key=secret');
    expect(refused).toThrow('https://a.example/x redirects from https to http://a.example/x: use the final URL.');
  });
});
