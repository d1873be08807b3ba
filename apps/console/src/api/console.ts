import { createStore } from '../store.js';

/** Settings of a sign-in with an authorization code, from the provider's own metadata. */
export interface Login {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly scope: string;
  readonly parameters: Readonly<Record<string, string>>;
}

export type Feature = 'exports' | 'explain' | 'revisions' | 'approvals';

/** Response of `/v1/console`: everything that the page needs to know at its start. */
export interface ConsoleInfo {
  readonly registry: { readonly namespace: string; readonly name: string; readonly displayName?: string };
  readonly version: string;
  readonly mode: 'anonymous' | 'oauth';
  readonly login: Login | null;
  /** Whether the metadata of the provider could not be fetched. */
  readonly loginUnavailable?: boolean;
  readonly features: readonly string[];
}

export const CONSOLE_PATH = 'v1/console';

export const consoleInfo = createStore<ConsoleInfo | undefined>(undefined);

export const hasFeature = (info: ConsoleInfo, feature: Feature): boolean => info.features.includes(feature);
