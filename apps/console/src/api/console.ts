import { createStore } from '../store.js';

/** How to sign in by authorization code, from the provider's own metadata. */
export interface Login {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly scope: string;
  readonly parameters: Readonly<Record<string, string>>;
}

export type Feature = 'exports' | 'explain' | 'revisions' | 'approvals';

/** `/v1/console`: what the page has to know before anything else. */
export interface ConsoleInfo {
  readonly registry: { readonly namespace: string; readonly name: string; readonly displayName?: string };
  readonly version: string;
  readonly mode: 'anonymous' | 'oauth';
  readonly login: Login | null;
  /** The provider could not be asked how to sign in. */
  readonly loginUnavailable?: boolean;
  readonly features: readonly string[];
}

export const CONSOLE_PATH = 'v1/console';

export const consoleInfo = createStore<ConsoleInfo | undefined>(undefined);

export const hasFeature = (info: ConsoleInfo, feature: Feature): boolean => info.features.includes(feature);
