import { BoundedMap } from '#domain/bounded-map.js';
import { createHash } from 'node:crypto';
import type { KubernetesApi } from './kubernetes-api.js';
import type { KubernetesObject } from './kubernetes-object.js';

/** The decision of the API server about a bearer token and a path. */
export type Access = 'allowed' | 'forbidden' | 'unauthenticated';

/**
 * Time in milliseconds for which a decision of the API server is cached. A revoked token is rejected after this time at
 * the latest.
 */
const KEPT_MS = 30_000;
/** Maximum length of a token that is sent to the API server, in characters. */
const TOKEN_LIMIT = 8_192;
/**
 * Maximum number of cached reviews and of reviews in progress. They are limited because any client can cause a review.
 */
export const REVIEW_LIMITS = { kept: 200, underWay: 4 };

interface Kept {
  readonly access: Promise<Access>;
  readonly untilMs: number;
}

interface TokenReview extends KubernetesObject {
  readonly status?: {
    readonly authenticated?: boolean;
    readonly user?: { readonly username?: string; readonly groups?: string[]; readonly extra?: object };
  };
}

interface SubjectAccessReview extends KubernetesObject {
  readonly status?: { readonly allowed?: boolean };
}

/**
 * Asks the API server which user a token belongs to and whether that user may `get` a path (TokenReview and
 * SubjectAccessReview), as controllers built with kubebuilder do for their metrics. Identical requests share one review
 * (singleflight, LRU cache).
 */
export class AccessReviewer {
  readonly #kept = new BoundedMap<string, Kept>(REVIEW_LIMITS.kept);
  #underWay = 0;

  constructor(private readonly api: Pick<KubernetesApi, 'create'>) {}

  /**
   * Returns whether the sender of an `Authorization` header may `get` a path. Throws if the API server does not
   * respond, or if too many reviews are already in progress.
   */
  async review(authorization: string | undefined, path: string): Promise<Access> {
    const token = /^Bearer ([\w.~+/=-]+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined || token.length > TOKEN_LIMIT) return 'unauthenticated';
    const key = createHash('sha256').update(`${path}\n${token}`).digest('hex');
    const nowMs = performance.now();
    const kept = this.#kept.get(key);
    if (kept && kept.untilMs > nowMs) {
      this.#kept.set(key, kept);
      return kept.access;
    }
    if (this.#underWay >= REVIEW_LIMITS.underWay) throw new Error('too many reviews of tokens are under way');
    const access = this.#ask(token, path);
    this.#kept.set(key, { access, untilMs: nowMs + KEPT_MS });
    access.catch(() => this.#kept.delete(key));
    return access;
  }

  async #ask(token: string, path: string): Promise<Access> {
    this.#underWay += 1;
    try {
      const user = await this.#authenticate(token);
      if (!user) return 'unauthenticated';
      return (await this.#authorize(user, path)) ? 'allowed' : 'forbidden';
    } finally {
      this.#underWay -= 1;
    }
  }

  async #authenticate(token: string) {
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
    const { status } = await this.api.create<TokenReview>({ ...review, metadata: { name: '' } } as TokenReview);
    const { authenticated, user } = status ?? {};
    // A user without a name cannot be authorized.
    return authenticated && user?.username ? user : undefined;
  }

  async #authorize(user: NonNullable<NonNullable<TokenReview['status']>['user']>, path: string): Promise<boolean> {
    const { username, groups = [], extra = {} } = user;
    const spec = { user: username, groups, extra, nonResourceAttributes: { path, verb: 'get' } };
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
    const { status } = await this.api.create<SubjectAccessReview>({
      ...review,
      metadata: { name: '' },
    } as SubjectAccessReview);
    return status?.allowed === true;
  }
}
