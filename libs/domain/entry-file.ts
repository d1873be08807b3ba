/** The endings of the files of a folder that hold an entry each. */
export const ENTRY_FILE = /\.(json|ya?ml)$/i;
