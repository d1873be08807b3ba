import { PublishFault, readPublished } from '#sources/formats/published-server.js';
import type { PublishIssue } from '#sources/formats/published-server.js';
import { SERVER_SCHEMA } from '#sources/formats/server-json.js';

/** The answer of POST validate, as mcp-publisher reads it. */
export interface ValidationResult {
  readonly valid: boolean;
  readonly issues: readonly ValidationIssue[];
}

interface ValidationIssue extends PublishIssue {
  readonly type: 'json' | 'schema';
  readonly severity: 'error';
  /** The document that has the rule. */
  readonly reference: string;
}

const JSON_STANDARD = 'https://www.rfc-editor.org/rfc/rfc8259';

/** Checks a server.json as publishing would, and stores nothing. */
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
