import { createHash } from 'node:crypto';
import type { KubernetesApi } from './kubernetes-api.js';
import type { KubernetesObject } from './kubernetes-object.js';

/** What the API server says of a bearer token and a path. */
export type Access = 'allowed' | 'forbidden' | 'unauthenticated';

/** An answer of the API server counts for this long, in milliseconds; a token that is revoked is refused after it at the latest. */
const KEPT_MS = 30_000;
/** The longest token that is sent to the API server, in characters. */
const TOKEN_LIMIT = 8_192;
/** How many answers are cached, and how many questions may be under way: strangers can ask as well. */
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
 * Asks the API server whose token a request has and whether that user may `get` a path (TokenReview and SubjectAccessReview), as
 * controllers built with kubebuilder do for their metrics. Equal questions share one answer (singleflight, LRU cache).
 */
export class AccessReviewer {
  readonly #kept = new Map<string, Kept>();
  #underWay = 0;

  constructor(private readonly api: Pick<KubernetesApi, 'create'>) {}

  /** `authorization`: the header. Throws when the API server does not answer, or has been asked too much already. */
  async review(authorization: string | undefined, path: string): Promise<Access> {
    const token = /^Bearer ([\w.~+/=-]+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined || token.length > TOKEN_LIMIT) return 'unauthenticated';
    const key = createHash('sha256').update(`${path}\n${token}`).digest('hex');
    const nowMs = performance.now();
    const kept = this.#kept.get(key);
    if (kept && kept.untilMs > nowMs) {
      this.#keep(key, kept);
      return kept.access;
    }
    if (this.#underWay >= REVIEW_LIMITS.underWay) throw new Error('too many reviews of tokens are under way');
    const access = this.#ask(token, path);
    this.#keep(key, { access, untilMs: nowMs + KEPT_MS });
    access.catch(() => this.#kept.delete(key));
    return access;
  }

  #keep(key: string, kept: Kept): void {
    this.#kept.delete(key);
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined && this.#kept.size >= REVIEW_LIMITS.kept) this.#kept.delete(oldest);
    this.#kept.set(key, kept);
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
    // Without a name the next question would be about nobody.
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
