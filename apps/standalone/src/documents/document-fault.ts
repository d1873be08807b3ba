/** An error in a manifest with its location and the remedy; or, as a notice, something that is ignored. */
export interface DocumentFault {
  /** File name as the user specified it. */
  readonly file: string;
  /** Line number from 1; absent if the error concerns the whole file. */
  readonly line?: number;
  /** Field such as `spec.registries[0].git.path`; absent if the error concerns the whole document. */
  readonly field?: string;
  readonly message: string;
}

/** Formats an error like `registries.yaml:12: spec.registries[0].git.path: "data.yaml" must be a .json file`. */
export function formatDocumentFault({ file, line, field, message }: DocumentFault): string {
  return [line === undefined ? file : `${file}:${line}`, field, message].filter(Boolean).join(': ');
}
