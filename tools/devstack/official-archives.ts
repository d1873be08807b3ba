/** A published .tar.gz with one executable that we want. */
export interface Archive {
  /** Below the address of the download site, starting with a slash. */
  readonly path: string;
  readonly checksum: { readonly algorithm: 'sha256' | 'sha512'; readonly hex: string };
  /** The executable inside the archive. */
  readonly member: string;
}

const temporalVersion = '1.5.1';

/** The Temporal CLI as its project releases it; sha256 as in the checksums of the release. */
export const temporalArchives: Readonly<Record<string, Archive>> = {
  'linux-x64': temporalArchive('linux_amd64', 'ddc95e08b0b076efd4ea9733a3f488eb7d2be875f8834e616cd2a37358b4852d'),
  'linux-arm64': temporalArchive('linux_arm64', 'bd1b0db9f18b051026de8bf6cc1505f2510f14bbb7a8b9a4a91fff46c77454f5'),
  'darwin-x64': temporalArchive('darwin_amd64', 'bbb73e2a31135abe50a1f1cdb35030c42961df618e8ce9c60ae89f201540c5d9'),
  'darwin-arm64': temporalArchive('darwin_arm64', 'cca01b7ea35ad56e2a328d9ae596bf716bd22313ef63c7a761c88354457c2415'),
};

function temporalArchive(platform: string, hex: string): Archive {
  return {
    path: `/temporalio/cli/releases/download/v${temporalVersion}/temporal_cli_${temporalVersion}_${platform}.tar.gz`,
    checksum: { algorithm: 'sha256', hex },
    member: 'temporal',
  };
}

const envtestVersion = 'v1.35.0';

/** The sha512 values of envtest-releases.yaml in kubernetes-sigs/controller-tools. */
const envtestChecksums = {
  'linux-x64': [
    'linux-amd64',
    '130369c16f076e724d089189afaede960316f5f5dea6cf57be7a4fc6f09c77342893192509790e4056e116e232dff832ed863f5bd55dcb55d38f3ab834828a11',
  ],
  'linux-arm64': [
    'linux-arm64',
    'e53e2b88398f5b9503e3f074d82a2dcb090c708b34940848607ce658138a5d4a25962e042ab683ccc026a8a6c90c0be7f658e42dde0887369d73c3b68e2fc86c',
  ],
  'darwin-x64': [
    'darwin-amd64',
    'fccc583ba6d322c88a8c56f7876090a7ad63460046a4bcae414093b23ce68a75f172ca7484b7c7475b707657eca5108a8ad3fd85e1b4f70a6c99ca2f22dbd6b2',
  ],
  'darwin-arm64': [
    'darwin-arm64',
    'bb5d0bb3975956331b0aa0c039955b4c4dc6c5c288e5af369364c7d2fbeac11a025227dabb127569080b259dd29b697cc77fa77abd27ae26721ddb23e8ee0613',
  ],
} as const;

/** etcd and kube-apiserver come in one archive, made by controller-tools for tests like ours. */
export function envtestArchives(executable: 'etcd' | 'kube-apiserver'): Readonly<Record<string, Archive>> {
  return Object.fromEntries(
    Object.entries(envtestChecksums).map(([platform, [name, hex]]) => [
      platform,
      {
        path: `/kubernetes-sigs/controller-tools/releases/download/envtest-${envtestVersion}/envtest-${envtestVersion}-${name}.tar.gz`,
        checksum: { algorithm: 'sha512', hex },
        member: `controller-tools/envtest/${executable}`,
      },
    ]),
  );
}
