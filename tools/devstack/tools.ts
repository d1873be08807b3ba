import { envtestArchives, temporalArchives } from './official-archives.js';
import type { Archive } from './official-archives.js';

export type ToolName = 'temporal' | 'etcd' | 'kube-apiserver';

/** A server that is needed for running or testing: how it is recognized and where it can come from. */
export interface Tool {
  /** The name of the executable. */
  readonly name: string;
  /** The version that is obtained when there is none; part of the path in the cache. */
  readonly version: string;
  /** The environment variable that names an executable. */
  readonly variable: string;
  /** Calls that a usable executable answers, each with what the answer must contain. */
  readonly proofs: readonly { readonly args: readonly string[]; readonly says: readonly RegExp[] }[];
  /** Where `--version` says the version that counts, and the oldest one that will do: major, minor. */
  readonly oldest?: { readonly pattern: RegExp; readonly major: number; readonly minor: number };
  /** Official archives by `<platform>-<arch>`, in Node's words. */
  readonly archives: Readonly<Record<string, Archive>>;
  readonly go: {
    /** The folder of go.mod, seen from tools/devstack. */
    readonly module: string;
    readonly package: string;
    /** `-X` values: a build from modules does not know its own version. */
    readonly stamps: Readonly<Record<string, string>>;
  };
  /** What a person can do when every way failed. */
  readonly remedies: readonly string[];
}

export const tools: Readonly<Record<ToolName, Tool>> = {
  temporal: {
    name: 'temporal',
    version: '1.5.1',
    variable: 'DEVSTACK_TEMPORAL',
    proofs: [{ args: ['server', 'start-dev', '--help'], says: [/--db-filename/, /--sqlite-pragma/] }],
    // Servers before 1.25 refuse Updates unless told otherwise, and `syncNow` is one.
    oldest: { pattern: /Server (\d+)\.(\d+)/, major: 1, minor: 25 },
    archives: temporalArchives,
    go: {
      module: '.',
      package: 'github.com/temporalio/cli/cmd/temporal',
      stamps: { 'github.com/temporalio/cli/temporalcli.Version': '1.5.1' },
    },
    remedies: [
      'install the Temporal CLI (https://docs.temporal.io/cli), so that `temporal` is on PATH',
      'set DEVSTACK_TEMPORAL to the path of a `temporal` executable',
      'set TEMPORAL_ADDRESS to the host:port of a running Temporal server',
    ],
  },
  etcd: {
    name: 'etcd',
    version: '3.6',
    variable: 'DEVSTACK_ETCD',
    proofs: [],
    archives: envtestArchives('etcd'),
    go: { module: '.', package: 'go.etcd.io/etcd/server/v3', stamps: {} },
    remedies: [
      'install etcd 3.4 or newer from your package manager (Debian, Ubuntu: etcd-server; Homebrew: etcd), so that `etcd` is on PATH',
      'set DEVSTACK_ETCD to the path of an `etcd` executable',
    ],
  },
  'kube-apiserver': {
    name: 'kube-apiserver',
    version: '1.35',
    variable: 'DEVSTACK_KUBE_APISERVER',
    proofs: [],
    // The CRD's validation rules (CEL) are generally available since 1.29.
    oldest: { pattern: /Kubernetes v(\d+)\.(\d+)/, major: 1, minor: 29 },
    archives: envtestArchives('kube-apiserver'),
    go: {
      module: 'kubernetes',
      package: 'k8s.io/kubernetes/cmd/kube-apiserver',
      stamps: {
        'k8s.io/component-base/version.gitVersion': 'v1.35.4',
        'k8s.io/component-base/version.gitMajor': '1',
        'k8s.io/component-base/version.gitMinor': '35',
      },
    },
    remedies: [
      'download kube-apiserver (https://kubernetes.io/releases/download), so that `kube-apiserver` is on PATH',
      'set DEVSTACK_KUBE_APISERVER to the path of a `kube-apiserver` executable',
    ],
  },
};
