/** URL of the checkout or installation that contains this file, which may run from source or from dist. */
export const projectRoot: URL = (() => {
  const root = new URL('../../', import.meta.url);
  return root.pathname.endsWith('/dist/') ? new URL('../', root) : root;
})();
