/** Something wrong in a manifest, where it stands, and the remedy; or, as a notice, something that is left aside. */
export interface DocumentFault {
  /** Name of the file, as the user gave it. */
  readonly file: string;
  /** From 1; absent when the file as a whole is meant. */
  readonly line?: number;
  /** `spec.registries[0].git.path`; absent when the document as a whole is meant. */
  readonly field?: string;
  readonly message: string;
}

/** `registries.yaml:12: spec.registries[0].git.path: "data.yaml" must be a .json file` */
export function formatDocumentFault({ file, line, field, message }: DocumentFault): string {
  return [line === undefined ? file : `${file}:${line}`, field, message].filter(Boolean).join(': ');
}
