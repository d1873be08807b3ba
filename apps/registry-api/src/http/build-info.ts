/** Which build this process runs. */
export class BuildInfo {
  constructor(
    readonly version: string,
    readonly commit: string,
    readonly buildDate: string,
  ) {}
}
