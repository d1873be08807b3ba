/** How a source's data is written: ToolHive's own registry file, or the official registry's. */
export const SOURCE_FORMATS = ['toolhive', 'upstream'] as const;

export type SourceFormat = (typeof SOURCE_FORMATS)[number];
