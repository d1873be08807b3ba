import { describe, expect, it } from 'vitest';
import { isIPv4 } from 'node:net';
import { METADATA, SET_ASIDE, SPECIAL_PURPOSE, TRANSLATED } from './special-addresses.js';
import { isAllowed, reachOf } from './address-policy.js';
import type { AddressReach } from './address-policy.js';

const EXAMPLES: Record<AddressReach, string> = {
  public: `1.1.1.1 172.32.0.1 100.128.0.1 2606:4700::1111 ::ffff:1.1.1.1 64:ff9b::101:101
    2606:4700::a00:1 2a00:1::5efe:101:101`,
  private: `127.0.0.1 10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 198.18.0.1
    ::1 fd12:3456::1 ::ffff:10.0.0.1 ::ffff:7f00:1 ::ffff:0:127.0.0.1 ::127.0.0.1
    64:ff9b::127.0.0.1 64:ff9b::a00:1 64:ff9b:1::808:808 2002:7f00:1:: 2001:db8::1
    2002:101:101:: 192.88.99.1 3fff::1 5f00::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2a00:1::5efe:10.0.0.1 fd00:41::42`,
  never: `0.0.0.0 0.1.2.3 169.254.169.254 169.254.0.1 100.100.100.200 168.63.129.16 224.0.0.1 255.255.255.255
    :: fe80::1 fe80::1%eth0 febf::1 fd00:ec2::254 fd20:ce::254 ff02::1
    ::ffff:169.254.169.254 ::ffff:a9fe:a9fe ::ffff:0:169.254.169.254 ::169.254.169.254 ::ffff:0.0.0.0
    64:ff9b::169.254.169.254 64:ff9b::a9fe:a9fe 64:ff9b:1::a9fe:a9fe 2002:a9fe:a9fe:: localhost 1.2.3
    fd00:ec2::23 fd00:ec2::1 192.0.0.192 ::ffff:192.0.0.192 fd00:c1::a9fe:a9fe 2a00:1::5efe:a9fe:a9fe 2a00:1::200:5efe:a9fe:a9fe
    2001:0:a9fe:a9fe:: 2001:0:4136:e378:8000:63bf:5601:5601 2a00:1:2:3::a9fe:a9fe 2a00:1:a9fe:a9fe::
    2a00:100:a9:fea9:fe:: 2a00:1:2:a9fe:a9:fe00:: 2a00:1:2:3a9:fe:a9fe:: 2a00:1:2:3:a9:fea9:fe00:: 2a00:1::c000:c0`,
};

describe('an address', () => {
  it.each(Object.entries(EXAMPLES))('is %s in every spelling', (reach, examples) => {
    const addresses = examples.split(/\s+/);
    expect(addresses.map((address) => [address, reachOf(address)])).toEqual(addresses.map((each) => [each, reach]));
  });

  it.each([...SPECIAL_PURPOSE, ...SET_ASIDE, ...METADATA])(
    'is not public from the first to the last address of %s',
    (network) => {
      for (const address of edges(network)) {
        expect([address, isAllowed(address, 'public-only')]).toEqual([address, false]);
      }
    },
  );

  it.each(METADATA)('is never allowed if clouds provide credentials there: %s', (network) => {
    for (const address of edges(network)) {
      expect(reachOf(address)).toBe('never');
      if (isIPv4(address)) expect(reachOf(`::ffff:${address}`)).toBe('never');
    }
  });

  it.each(TRANSLATED)('is checked by the address inside %s', (network) => {
    const start = groups(network.replace('/96', '')).slice(0, 6).join(':');
    const with4 = (address: string) => `${start}:${address}`;
    expect(reachOf(with4('169.254.169.254'))).toBe('never');
    expect(reachOf(with4('10.0.0.1'))).toBe('private');
    expect(reachOf(with4('1.1.1.1'))).toBe('public');
  });

  it('is allowed according to the policy', () => {
    const allowed = (policy: 'private-allowed' | 'public-only') =>
      ['1.1.1.1', '10.0.0.1', '169.254.169.254'].filter((address) => isAllowed(address, policy));
    expect(allowed('private-allowed')).toEqual(['1.1.1.1', '10.0.0.1']);
    expect(allowed('public-only')).toEqual(['1.1.1.1']);
  });
});

/** Returns the first and the last address of a network, computed bit by bit. */
function edges(network: string): string[] {
  const [address = '', length] = network.split('/');
  const size = isIPv4(address) ? 32n : 128n;
  const first = isIPv4(address)
    ? address.split('.').reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)
    : BigInt(`0x${groups(address).join('')}`);
  const last = first | ((1n << (size - BigInt(length ?? 0))) - 1n);
  return [first, last].map((value) =>
    size === 32n
      ? [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.')
      : (value.toString(16).padStart(32, '0').match(/.{4}/g) ?? []).join(':'),
  );
}

function groups(address: string): string[] {
  const [before = '', after = ''] = address.split('::');
  const [head, tail] = [before, after].map((half) => half.split(':').filter(Boolean)) as [string[], string[]];
  const zeros = Array<string>(8 - head.length - tail.length).fill('0');
  return [...head, ...zeros, ...tail].map((group) => group.padStart(4, '0'));
}
