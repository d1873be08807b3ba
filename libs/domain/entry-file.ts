/** Matches the names of files in a folder that contain one entry each. */
export const ENTRY_FILE = /\.(json|ya?ml)$/i;
