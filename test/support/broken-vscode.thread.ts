/** The thread of exports, whose check of the format vscode refuses every text that names `new.example`. */
const exports = (await import(new URL('../../dist/libs/exports/index.js', import.meta.url).href)) as {
  exportFormats: readonly { readonly id: string; check(text: string): void }[];
};
const format = exports.exportFormats.find(({ id }) => id === 'vscode');
if (format) {
  format.check = (text) => {
    if (text.includes('new.example')) throw new Error('broken');
  };
}
const thread = (await import(
  new URL('../../dist/apps/registry-api/src/exports/render.thread.js', import.meta.url).href
)) as { default(task: unknown): Promise<unknown> };

export default thread.default;
