import { Controller } from '@nestjs/common';
import { Public } from '../auth/requirement.js';
import { API_ROOTS } from './api-roots.js';
import { BuildInfo } from './build-info.js';
import { ApiOperations, belowEachRoot } from './openapi/operation.js';
import type { Operation } from './openapi/operation.js';
import { GetFresh } from './views/get-fresh.js';

/** Serves health, ping and version like the official registry server, below every API root. */
@Public()
@ApiOperations(() =>
  belowEachRoot(({ path, name, scope }) => {
    const shared = { method: 'get', tag: 'Operations', isPublic: true, parameters: scope } as const;
    const probe = (at: string, summary: string, answer: 'OfficialHealth' | 'Ping' | 'OfficialVersion'): Operation => ({
      ...shared,
      path: `${path}/${at}`,
      id: `${name}${answer}`,
      summary: `${summary}, as the official registry server does`,
      success: { status: 200, answer },
    });
    return [
      probe('health', 'Reports that the process is alive', 'OfficialHealth'),
      probe('ping', 'Answers a ping', 'Ping'),
      probe('version', 'Reports the running version', 'OfficialVersion'),
    ];
  }),
)
@Controller([...API_ROOTS])
export class OfficialProbesController {
  constructor(private readonly build: BuildInfo) {}

  @GetFresh('health')
  health(): object {
    return { status: 'ok' };
  }

  @GetFresh('ping')
  ping(): object {
    return { pong: true };
  }

  @GetFresh('version')
  version(): object {
    const { version, commit, buildDate } = this.build;
    return { version, git_commit: commit, build_time: buildDate };
  }
}
