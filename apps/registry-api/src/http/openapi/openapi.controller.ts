import { readFile } from 'node:fs/promises';
import { Controller, Get, Header, Redirect } from '@nestjs/common';
import { stringify } from 'yaml';
import { Public } from '../../auth/requirement.js';
import { sharedBody } from '../response-memory.js';

const JSON_TYPE = 'application/json; charset=utf-8';
const YAML_TYPE = 'application/yaml; charset=utf-8';
const WRITERS = { json: (content: unknown) => JSON.stringify(content), yaml: (content: unknown) => stringify(content) };
const FOR_AN_HOUR = 'public, max-age=3600';

/**
 * Serves the OpenAPI document for programs. Open to everybody, like the probes, because it reveals nothing about the
 * content of the registry.
 */
@Public()
@Controller()
export class OpenApiController {
  /** The serialized documents. Each is created once, so that all running requests send the same memory. */
  readonly #answers = new Map<string, Promise<Buffer>>();

  @Get('openapi.json')
  @Header('content-type', JSON_TYPE)
  @Header('cache-control', FOR_AN_HOUR)
  json(): Promise<Buffer> {
    return this.answer('api', 'json');
  }

  @Get('openapi.yaml')
  @Header('content-type', YAML_TYPE)
  @Header('cache-control', FOR_AN_HOUR)
  yaml(): Promise<Buffer> {
    return this.answer('api', 'yaml');
  }

  /** Path at which the official registry server has its API reference. */
  @Get('docs')
  @Redirect('reference', 308)
  docs(): void {}

  /** The document below each API root, for mirrors. */
  @Get(['registry/openapi.json', 'registry/:source/openapi.json'])
  @Header('content-type', JSON_TYPE)
  @Header('cache-control', FOR_AN_HOUR)
  genericJson(): Promise<Buffer> {
    return this.answer('generic-api', 'json');
  }

  @Get(['registry/openapi.yaml', 'registry/:source/openapi.yaml'])
  @Header('content-type', YAML_TYPE)
  @Header('cache-control', FOR_AN_HOUR)
  genericYaml(): Promise<Buffer> {
    return this.answer('generic-api', 'yaml');
  }

  private answer(document: string, syntax: keyof typeof WRITERS): Promise<Buffer> {
    const key = `${document}.${syntax}`;
    let answer = this.#answers.get(key);
    if (!answer) {
      answer = readGenerated(document).then((content) => sharedBody(Buffer.from(WRITERS[syntax](content))));
      answer.catch(() => this.#answers.delete(key));
      this.#answers.set(key, answer);
    }
    return answer;
  }
}

/** Reads a document that `npm run generate` created from the operations of all controllers. */
async function readGenerated(document: string): Promise<unknown> {
  return JSON.parse(await readFile(new URL(`${document}.json`, import.meta.url), 'utf8'));
}
