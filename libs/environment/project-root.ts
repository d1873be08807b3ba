/** The checkout or installation that this file belongs to, whether it runs from source or from dist. */
export const projectRoot: URL = (() => {
  const root = new URL('../../', import.meta.url);
  return root.pathname.endsWith('/dist/') ? new URL('../', root) : root;
})();
