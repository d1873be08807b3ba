import { CONFIGURATION, renderConfiguration } from './configuration.js';
import { renderCustomResourceDefinition } from './custom-resource-definition.js';
import { openApiFiles } from './openapi.js';
import { OPERATOR_MANIFEST, podPolicyManifest, renderOperatorManifest, renderPodPolicy } from './operator-manifest.js';

/** A file that is generated from code but still kept in git, because others read it without running anything. */
interface GeneratedFile {
  readonly path: string;
  render(): string | Promise<string>;
}

export const generated: readonly GeneratedFile[] = [
  { path: 'deploy/crds/mcpregistries.toolhive.stacklok.dev.yaml', render: renderCustomResourceDefinition },
  // A second copy, because a chart can read only files inside it.
  { path: 'deploy/helm/mcp-registry-operator/files/mcpregistries.crd.yaml', render: renderCustomResourceDefinition },
  { path: OPERATOR_MANIFEST, render: renderOperatorManifest },
  ...(['restricted', 'deny'] as const).map((podTemplate) => ({
    path: podPolicyManifest(podTemplate),
    render: () => renderPodPolicy(podTemplate),
  })),
  ...openApiFiles,
  { path: CONFIGURATION, render: renderConfiguration },
];
