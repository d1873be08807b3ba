import { expect, it } from 'vitest';
import { loopbackHostCheck } from './host-names.js';

it.each(['127.0.0.1', 'localhost', '::1'])('rejects foreign names on %s', (address) => {
  const accepts = loopbackHostCheck(address, ['registry.example.com'])!;
  for (const host of [undefined, 'localhost', 'LOCALHOST:8080', '127.0.0.1:8080', '127.8.9.1', '[::1]:8080', '[::1]'])
    expect(accepts(host), host).toBe(true);
  for (const host of ['registry.example.com', 'Registry.Example.com:443', 'a.localhost:1', 'localhost.'])
    expect(accepts(host), host).toBe(true);
  for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:8080', '10.0.0.1', '[::2]:80'])
    expect(accepts(host), host).toBe(false);
  for (const host of ['', ':8080', 'evil.example:127', 'notlocalhost', '127.0.0.1@evil.example', '0x7f.1', '127.evil'])
    expect(accepts(host), host).toBe(false);
});

it.each(['0.0.0.0', '::', '192.168.1.4', 'registry.internal'])('checks nothing on %s', (address) => {
  expect(loopbackHostCheck(address)).toBeUndefined();
});
