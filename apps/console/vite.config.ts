import { defineConfig } from 'vite';

/** Where `npm run console` finds the API; the build knows no address. */
const API = process.env['CONSOLE_API'] ?? 'http://127.0.0.1:8080';
const API_PATHS = '^/(v0|v0\\.1|v1|registry|version|readiness|health|reference|openapi\\.\\w+|\\.well-known)(/|\\?|$)';

export default defineConfig({
  root: import.meta.dirname,
  // Every reference is relative, so that the page works below any path.
  base: './',
  resolve: { conditions: ['source', 'module', 'browser', 'development|production'] },
  server: { host: '127.0.0.1', proxy: { [API_PATHS]: { target: API } } },
  build: {
    outDir: '../../dist/apps/console',
    emptyOutDir: true,
    // The routes of the server are `/` for the page and `/console/{file}` for everything else.
    assetsDir: 'console',
    assetsInlineLimit: 0,
    license: { fileName: 'console/licences.txt' },
    // The evergreen browsers of early 2025.
    target: ['chrome131', 'edge131', 'firefox133', 'safari18.2'],
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
