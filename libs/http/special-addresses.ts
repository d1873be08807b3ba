/**
 * The IANA special-purpose address registries (RFC 6890) for IPv4 and IPv6, as of 2025. None of these addresses leads
 * to a host on the internet that could be a source. The prefixes that only translate addresses (`TRANSLATED`) are not
 * listed: they are checked by the IPv4 address that they contain.
 */
export const SPECIAL_PURPOSE: readonly string[] = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private use
  '100.64.0.0/10', // shared address space
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local
  '172.16.0.0/12', // private use
  '192.0.0.0/24', // IETF protocol assignments
  '192.0.2.0/24', // documentation
  '192.31.196.0/24', // AS112
  '192.52.193.0/24', // AMT
  '192.88.99.0/24', // 6to4 relay anycast
  '192.168.0.0/16', // private use
  '192.175.48.0/24', // AS112
  '198.18.0.0/15', // benchmarking
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '240.0.0.0/4', // reserved
  '255.255.255.255/32', // limited broadcast
  '::/128', // unspecified
  '::1/128', // loopback
  '64:ff9b:1::/48', // local-use translation
  '100::/64', // discard only
  '100:0:0:1::/64', // dummy prefix
  '2001::/23', // IETF protocol assignments, Teredo, ORCHID, drone ids
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4
  '2620:4f:8000::/48', // AS112
  '3fff::/20', // documentation
  '5f00::/16', // segment routing
  'fc00::/7', // unique local
  'fe80::/10', // link-local
];

/** Addresses reserved by other documents: multicast (RFC 5771, RFC 4291) and the site-local addresses of RFC 3879. */
export const SET_ASIDE: readonly string[] = ['224.0.0.0/4', 'ff00::/8', 'fec0::/10'];

/**
 * Prefixes that represent the IPv4 internet: IPv4-mapped, IPv4-translated (RFC 2765), IPv4-compatible and NAT64 (RFC
 * 6052).
 */
export const TRANSLATED: readonly string[] = ['::ffff:0:0/96', '::ffff:0:0:0/96', '::/96', '64:ff9b::/96'];

/** Addresses at which clouds give credentials to any process that asks. */
export const METADATA: readonly string[] = [
  '100.100.100.200/32', // Alibaba Cloud
  '168.63.129.16/32', // Azure
  '192.0.0.192/32', // Oracle Cloud
  'fd00:ec2::/32', // AWS: instance metadata, EKS Pod Identity
  'fd00:c1::a9fe:a9fe/128', // Oracle Cloud
  'fd00:42::42/128', // Scaleway
  'fd20:ce::254/128', // Google Cloud
];
