import { PublishFault, readPublished } from '#sources/formats/published-server.js';
import type { PublishIssue } from '#sources/formats/published-server.js';
import { SERVER_SCHEMA } from '#sources/formats/server-json.js';

/** The response of POST validate, as mcp-publisher expects it. */
export interface ValidationResult {
  readonly valid: boolean;
  readonly issues: readonly ValidationIssue[];
}

interface ValidationIssue extends PublishIssue {
  readonly type: 'json' | 'schema';
  readonly severity: 'error';
  /** URL of the document that defines the rule. */
  readonly reference: string;
}

const JSON_STANDARD = 'https://www.rfc-editor.org/rfc/rfc8259';

/** Validates a server.json in the same way as publishing, but stores nothing. */
export function validateServer(body: Buffer): ValidationResult {
  try {
    readPublished(body);
    return { valid: true, issues: [] };
  } catch (error) {
    if (!(error instanceof PublishFault)) throw error;
    const type = error.kind === 'malformed' ? 'json' : 'schema';
    const reference = type === 'json' ? JSON_STANDARD : SERVER_SCHEMA;
    return { valid: false, issues: error.issues.map((issue) => ({ type, ...issue, severity: 'error', reference })) };
  }
}
