import { anyKubeApiServer } from './kube-apiserver.js';
import { envtestArchives, temporalArchives, temporalVersion } from './official-archives.js';
import { temporalPackage } from './temporal-package.js';
import type { Tool } from './tool.js';

export type ToolName = 'temporal' | 'etcd' | 'kube-apiserver';

export const tools: Readonly<Record<ToolName, Tool>> = {
  temporal: {
    name: 'temporal',
    version: temporalVersion,
    variable: 'DEVSTACK_TEMPORAL',
    proofs: [{ args: ['server', 'start-dev', '--help'], says: [/--db-filename/, /--sqlite-pragma/] }],
    // Servers before 1.25 disable workflow updates by default, and `syncNow` is an update.
    oldest: { pattern: /Server (\d+)\.(\d+)/, major: 1, minor: 25 },
    archives: temporalArchives,
    package: temporalPackage,
    go: {
      module: '.',
      package: 'github.com/temporalio/cli/cmd/temporal',
      // The last release that can be built from modules. Later ones replace a module of their own repository, and Go
      // ignores `replace` in a dependency.
      version: '1.5.1',
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
  'kube-apiserver': anyKubeApiServer,
};
