/** The reverse-DNS prefix of all API extensions and all `_meta` blocks of this project. */
export const OWN_NAME = 'io.github.mcp-registry-operator';
