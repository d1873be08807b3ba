/** The export thread, changed so that the format vscode is refused if its text contains `new.example`. */
const dist = (path: string): string => new URL(`../../dist/${path}`, import.meta.url).href;
interface Rendered {
  readonly text: string;
}
const { exportFormats } = (await import(dist('libs/exports/index.js'))) as {
  exportFormats: readonly { readonly id: string; render(...given: readonly unknown[]): Rendered }[];
};
const { TextRefused } = (await import(dist('libs/exports/export-format.js'))) as {
  TextRefused: new (rendered: Rendered, cause: Error) => Error;
};
const format = exportFormats.find(({ id }) => id === 'vscode');
if (format) {
  const render = format.render.bind(format);
  format.render = (...given) => {
    const rendered = render(...given);
    if (rendered.text.includes('new.example')) throw new TextRefused(rendered, new Error('broken'));
    return rendered;
  };
}
const thread = (await import(dist('apps/registry-api/src/exports/render.thread.js'))) as {
  default(task: unknown): Promise<unknown>;
};

export default thread.default;
