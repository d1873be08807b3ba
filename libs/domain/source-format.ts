/** Formats of a source's data: ToolHive's own registry file, or that of the official registry. */
export const SOURCE_FORMATS = ['toolhive', 'upstream'] as const;

export type SourceFormat = (typeof SOURCE_FORMATS)[number];
