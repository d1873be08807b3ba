import { defineConfig } from 'vite';

/** URL of the API for `npm run console`. The build contains no URL. */
const API = process.env['CONSOLE_API'] ?? 'http://127.0.0.1:8080';
const API_PATHS = '^/(v0|v0\\.1|v1|registry|version|readiness|health|reference|openapi\\.\\w+|\\.well-known)(/|\\?|$)';

export default defineConfig({
  root: import.meta.dirname,
  // All references are relative, so that the page works below any path.
  base: './',
  resolve: { conditions: ['source', 'module', 'browser', 'development|production'] },
  server: { host: '127.0.0.1', proxy: { [API_PATHS]: { target: API } } },
  build: {
    outDir: '../../dist/apps/console',
    emptyOutDir: true,
    // The server serves the page at `/` and everything else at `/console/{file}`.
    assetsDir: 'console',
    assetsInlineLimit: 0,
    license: { fileName: 'console/licences.txt' },
    // Evergreen browsers as of early 2025.
    target: ['chrome131', 'edge131', 'firefox133', 'safari18.2'],
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
