/** A published .tar.gz that contains an executable. */
export interface Archive {
  /** Path on the download site, with a leading slash. */
  readonly path: string;
  readonly checksum: { readonly algorithm: 'sha256' | 'sha512'; readonly hex: string };
  /** Path of the executable inside the archive. */
  readonly member: string;
}

/** Version of the Temporal CLI to obtain: server 1.32.0, UI 2.54.1. */
export const temporalVersion = '1.9.1';

/**
 * The official archives of the Temporal CLI. Only platforms whose digests could be verified are listed; other platforms
 * get the same executable from the Python package.
 */
export const temporalArchives: Readonly<Record<string, Archive>> = {
  'linux-x64': temporalArchive('linux_amd64', '09a0326a51db84d02735e53542b9ebd8c4758daf47482a9ab0abce15844e60d5'),
};

function temporalArchive(platform: string, hex: string): Archive {
  return {
    path: `/temporalio/cli/releases/download/v${temporalVersion}/temporal_cli_${temporalVersion}_${platform}.tar.gz`,
    checksum: { algorithm: 'sha256', hex },
    member: 'temporal',
  };
}

const envtestVersion = 'v1.35.0';

/** The SHA-512 digests from envtest-releases.yaml in kubernetes-sigs/controller-tools. */
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

/** Returns the archives with etcd and kube-apiserver, which controller-tools publishes for tests like ours. */
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
