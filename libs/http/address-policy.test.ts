import { describe, expect, it } from 'vitest';
import { isAllowed, reachOf } from './address-policy.js';
import type { AddressReach } from './address-policy.js';

const EXAMPLES: Record<AddressReach, string> = {
  public: `1.1.1.1 172.32.0.1 100.128.0.1 2606:4700::1111 ::ffff:1.1.1.1 64:ff9b::101:101 2002:101:101::`,
  private: `127.0.0.1 10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 198.18.0.1
    ::1 fd12:3456::1 ::ffff:10.0.0.1 ::ffff:7f00:1 ::ffff:0:127.0.0.1 ::127.0.0.1
    64:ff9b::127.0.0.1 64:ff9b::a00:1 64:ff9b:1::808:808 2002:7f00:1:: 2001:db8::1`,
  never: `0.0.0.0 0.1.2.3 169.254.169.254 169.254.0.1 100.100.100.200 168.63.129.16 224.0.0.1 255.255.255.255
    :: fe80::1 fe80::1%eth0 febf::1 fd00:ec2::254 fd20:ce::254 ff02::1
    ::ffff:169.254.169.254 ::ffff:a9fe:a9fe ::ffff:0:169.254.169.254 ::169.254.169.254 ::ffff:0.0.0.0
    64:ff9b::169.254.169.254 64:ff9b::a9fe:a9fe 64:ff9b:1::a9fe:a9fe 2002:a9fe:a9fe:: localhost 1.2.3`,
};

describe('an address', () => {
  it.each(Object.entries(EXAMPLES))('is %s in every spelling', (reach, examples) => {
    const addresses = examples.split(/\s+/);
    expect(addresses.map((address) => [address, reachOf(address)])).toEqual(addresses.map((each) => [each, reach]));
  });

  it('is allowed as the policy says', () => {
    const allowed = (policy: 'private-allowed' | 'public-only') =>
      ['1.1.1.1', '10.0.0.1', '169.254.169.254'].filter((address) => isAllowed(address, policy));
    expect(allowed('private-allowed')).toEqual(['1.1.1.1', '10.0.0.1']);
    expect(allowed('public-only')).toEqual(['1.1.1.1']);
  });
});
