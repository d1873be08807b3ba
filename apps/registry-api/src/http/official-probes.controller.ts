import { Controller } from '@nestjs/common';
import { Public } from '../auth/requirement.js';
import { API_ROOTS } from './api-roots.js';
import { BuildInfo } from './build-info.js';
import { GetFresh } from './views/get-fresh.js';

/** Health, ping and version as the official registry server has them, below every API root. */
@Public()
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
