import { envtestArchives } from './official-archives.js';
import type { Tool } from './tool.js';

/** A minor version that Kubernetes supports. `releases` has the patch release that is built for each. */
export type KubernetesVersion = keyof typeof releases;

const releases = { '1.35': '1.35.4', '1.36': '1.36.3', '1.37': '1.37.2' };

/** The versions, oldest first. */
export const kubernetesVersions = Object.keys(releases) as KubernetesVersion[];

const OLDEST: KubernetesVersion = '1.35';
const SAYS = /Kubernetes v(\d+)\.(\d+)/;

/** The API server for running and testing: an installed one, or else the oldest supported version. */
export const anyKubeApiServer: Tool = {
  ...described(OLDEST),
  // The CRD's validation rules (CEL) are generally available since 1.29.
  oldest: { pattern: SAYS, major: 1, minor: 29 },
};

/** Returns the API server of exactly this minor version. */
export function kubeApiServer(version: KubernetesVersion): Tool {
  const [major, minor] = version.split('.').map(Number) as [number, number];
  const tool = described(version);
  const variable = `${tool.variable}_${major}_${minor}`;
  return { ...tool, variable, oldest: { pattern: SAYS, major, minor, only: true }, remedies: remedies(variable) };
}

function described(version: KubernetesVersion): Tool {
  const [major = '', minor = ''] = version.split('.');
  const variable = 'DEVSTACK_KUBE_APISERVER';
  return {
    name: 'kube-apiserver',
    version,
    variable,
    proofs: [],
    archives: version === OLDEST ? envtestArchives('kube-apiserver') : {},
    go: {
      module: `kubernetes/${version}`,
      package: 'k8s.io/kubernetes/cmd/kube-apiserver',
      stamps: {
        'k8s.io/component-base/version.gitVersion': `v${releases[version]}`,
        'k8s.io/component-base/version.gitMajor': major,
        'k8s.io/component-base/version.gitMinor': minor,
      },
    },
    remedies: remedies(variable),
  };
}

function remedies(variable: string): readonly string[] {
  return [
    'download kube-apiserver (https://kubernetes.io/releases/download), so that `kube-apiserver` is on PATH',
    `set ${variable} to the path of a \`kube-apiserver\` executable`,
  ];
}
