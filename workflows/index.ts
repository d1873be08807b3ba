export { mcpRegistry } from './mcp-registry.workflow.js';
export { syncSource } from './sync-source.workflow.js';
