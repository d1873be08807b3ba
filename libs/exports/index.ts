import type { ExportFormat } from './export-format.js';
import { apmPolicy } from './formats/apm-policy.export.js';
import { claudeDesktop } from './formats/claude-desktop.export.js';
import { claudeManagedMcp } from './formats/claude-managed-mcp.export.js';
import { claudeManagedServers } from './formats/claude-managed-servers.export.js';
import { claudeManagedSettings } from './formats/claude-managed-settings.export.js';
import { codex } from './formats/codex.export.js';
import { codexRequirements } from './formats/codex-requirements.export.js';
import { continueDev } from './formats/continue.export.js';
import { copilotManagedSettings } from './formats/copilot-managed-settings.export.js';
import { cursor } from './formats/cursor.export.js';
import { gemini } from './formats/gemini.export.js';
import { geminiAllowlist } from './formats/gemini-allowlist.export.js';
import { installLinks } from './formats/install-links.export.js';
import { jetbrains } from './formats/jetbrains.export.js';
import { kiroRegistry } from './formats/kiro-registry.export.js';
import { lmStudio } from './formats/lmstudio.export.js';
import { mcpJson } from './formats/mcp-json.export.js';
import { toolhive } from './formats/toolhive.export.js';
import { upstream } from './formats/upstream.export.js';
import { vscode } from './formats/vscode.export.js';
import { vscodePolicy } from './formats/vscode-policy.export.js';
import { windsurf } from './formats/windsurf.export.js';
import { zed } from './formats/zed.export.js';

/** All formats, in the order in which they are shown to users. */
export const exportFormats: readonly ExportFormat[] = [
  mcpJson,
  vscode,
  cursor,
  codex,
  gemini,
  windsurf,
  zed,
  continueDev,
  claudeDesktop,
  lmStudio,
  jetbrains,
  installLinks,
  copilotManagedSettings,
  vscodePolicy,
  claudeManagedSettings,
  claudeManagedServers,
  claudeManagedMcp,
  codexRequirements,
  geminiAllowlist,
  apmPolicy,
  kiroRegistry,
  upstream,
  toolhive,
];

export function findFormat(id: string): ExportFormat | undefined {
  return exportFormats.find((format) => format.id === id);
}
