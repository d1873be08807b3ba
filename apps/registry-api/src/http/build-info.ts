/** The version of the build that this process runs. */
export class BuildInfo {
  constructor(
    readonly version: string,
    readonly commit: string,
    readonly buildDate: string,
  ) {}
}
