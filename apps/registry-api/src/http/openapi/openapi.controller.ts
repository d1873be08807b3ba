import { Controller, Get, Header, Redirect } from '@nestjs/common';
import { stringify } from 'yaml';
import { Public } from '../../auth/requirement.js';
import { apiDocument, genericDocument } from './document.js';

const JSON_TYPE = 'application/json; charset=utf-8';
const YAML_TYPE = 'application/yaml; charset=utf-8';
const FOR_AN_HOUR = 'public, max-age=3600';

/** Memoizes a value that is the same as long as the process lives. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

const whole = once(apiDocument);
// Kept as bytes, so that every request in flight sends the same memory.
const wholeJson = once(() => Buffer.from(JSON.stringify(whole())));
const wholeYaml = once(() => Buffer.from(stringify(whole())));
const generic = once(genericDocument);
const genericJson = once(() => Buffer.from(JSON.stringify(generic())));
const genericYaml = once(() => Buffer.from(stringify(generic())));

/** What the API is, for programs. Open to all, as the probes are: it says nothing of what the registry holds. */
@Public()
@Controller()
export class OpenApiController {
  @Get('openapi.json')
  @Header('content-type', JSON_TYPE)
  @Header('cache-control', FOR_AN_HOUR)
  json(): Buffer {
    return wholeJson();
  }

  @Get('openapi.yaml')
  @Header('content-type', YAML_TYPE)
  @Header('cache-control', FOR_AN_HOUR)
  yaml(): Buffer {
    return wholeYaml();
  }

  /** Where the official registry server has its page. */
  @Get('docs')
  @Redirect('reference', 308)
  docs(): void {}

  /** Below each API root, for those who mirror it. */
  @Get(['registry/openapi.json', 'registry/:source/openapi.json'])
  @Header('content-type', JSON_TYPE)
  @Header('cache-control', FOR_AN_HOUR)
  genericJson(): Buffer {
    return genericJson();
  }

  @Get(['registry/openapi.yaml', 'registry/:source/openapi.yaml'])
  @Header('content-type', YAML_TYPE)
  @Header('cache-control', FOR_AN_HOUR)
  genericYaml(): Buffer {
    return genericYaml();
  }
}
