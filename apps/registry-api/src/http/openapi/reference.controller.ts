import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Controller, Get, Header } from '@nestjs/common';
import { Public } from '../../auth/requirement.js';
import { sharedBody } from '../response-memory.js';

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>MCP registry API</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="reference/swagger-ui.css" />
  </head>
  <body>
    <div id="reference"></div>
    <script src="reference/swagger-ui-bundle.js"></script>
    <script src="reference/start.js"></script>
  </body>
</html>
`;

/** Start script, served as a separate file, so that the page needs no inline scripts. */
const START = `SwaggerUIBundle({ url: 'openapi.json', dom_id: '#reference', deepLinking: true, tryItOutEnabled: true });\n`;

/** Serves the documentation of the API for people, below each address that has an OpenAPI document. */
@Public()
@Controller(['reference', 'registry/reference', 'registry/:source/reference'])
export class ReferenceController {
  private readonly require = createRequire(import.meta.url);
  /** The files of the page. Each is read once, so that all running requests send the same memory. */
  private readonly assets = new Map<string, Promise<Buffer>>();

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('cache-control', 'public, max-age=3600')
  @Header(
    'content-security-policy',
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
  )
  page(): string {
    return PAGE;
  }

  @Get('start.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  @Header('cache-control', 'public, max-age=3600')
  start(): string {
    return START;
  }

  @Get('swagger-ui-bundle.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  @Header('cache-control', 'public, max-age=86400')
  script(): Promise<Buffer> {
    return this.asset('swagger-ui-bundle.js');
  }

  @Get('swagger-ui.css')
  @Header('content-type', 'text/css; charset=utf-8')
  @Header('cache-control', 'public, max-age=86400')
  style(): Promise<Buffer> {
    return this.asset('swagger-ui.css');
  }

  private asset(name: string): Promise<Buffer> {
    let asset = this.assets.get(name);
    if (!asset) {
      asset = readFile(this.require.resolve(`swagger-ui-dist/${name}`)).then(sharedBody);
      this.assets.set(name, asset);
    }
    return asset;
  }
}
