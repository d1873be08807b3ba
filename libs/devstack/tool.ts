import type { Archive } from './official-archives.js';
import type { PythonPackage } from './python-package.js';

/** A server that is needed for running or testing: how it is recognized and where it can come from. */
export interface Tool {
  /** The name of the executable. */
  readonly name: string;
  /** The version that is obtained when there is none; part of the path in the cache. */
  readonly version: string;
  /** The environment variable that names an executable. */
  readonly variable: string;
  /** Calls that a usable executable answers, each with what the answer must contain. */
  readonly proofs: readonly { readonly args: readonly string[]; readonly says: readonly RegExp[] }[];
  /** The pattern that finds the relevant version in the output of `--version`, and the oldest one that works. */
  readonly oldest?: {
    readonly pattern: RegExp;
    readonly major: number;
    readonly minor: number;
    /** A newer one will not do either. */
    readonly only?: true;
  };
  /** Official archives by `<platform>-<arch>`, in Node's words. */
  readonly archives: Readonly<Record<string, Archive>>;
  /** The package that carries the same executable, where there is one. */
  readonly package?: PythonPackage;
  readonly go: {
    /** The folder of go.mod, seen from libs/devstack. */
    readonly module: string;
    readonly package: string;
    /** The version that go.mod pins, where it is another one than `version` of the tool. */
    readonly version?: string;
    /** `-X` values: a build from modules does not know its own version. */
    readonly stamps: Readonly<Record<string, string>>;
  };
  /** Remedies that are suggested when every way failed. */
  readonly remedies: readonly string[];
}
