/** The reverse-DNS name under which all extensions of the API, and all `_meta` blocks of this project, stand. */
export const OWN_NAME = 'io.github.mcp-registry-operator';
