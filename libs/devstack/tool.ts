import type { Archive } from './official-archives.js';
import type { PythonPackage } from './python-package.js';

/** A server that is needed for running or testing: how to recognize it and where to obtain it. */
export interface Tool {
  /** Name of the executable. */
  readonly name: string;
  /** Version to obtain if none is installed; part of the path in the cache. */
  readonly version: string;
  /** Environment variable with the path of an executable. */
  readonly variable: string;
  /** Invocations that prove that an executable is usable, each with patterns that its output must match. */
  readonly proofs: readonly { readonly args: readonly string[]; readonly says: readonly RegExp[] }[];
  /** Pattern for the version in the output of `--version`, and the oldest version that works. */
  readonly oldest?: {
    readonly pattern: RegExp;
    readonly major: number;
    readonly minor: number;
    /** Whether newer versions are rejected too. */
    readonly only?: true;
  };
  /** Official archives by `<platform>-<arch>`, in the notation of Node. */
  readonly archives: Readonly<Record<string, Archive>>;
  /** Python package with the same executable, if there is one. */
  readonly package?: PythonPackage;
  readonly go: {
    /** Folder of go.mod, relative to libs/devstack. */
    readonly module: string;
    readonly package: string;
    /** Version that go.mod pins, if it differs from the tool's `version`. */
    readonly version?: string;
    /** `-X` values, because a build from modules does not know its own version. */
    readonly stamps: Readonly<Record<string, string>>;
  };
  /** Remedies to suggest if every method fails. */
  readonly remedies: readonly string[];
}
