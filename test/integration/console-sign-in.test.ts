import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { NOT_YET, openPage } from '#support/browser.js';
import type { WatchedPage } from '#support/browser.js';
import type { ConsoleWorld } from '#support/console-world.js';
import { eventually } from '#support/eventually.js';
import { findBarriers } from '#support/page-checks.js';
import { useConsoleWorld } from '#support/use-console-world.js';

let world: ConsoleWorld;

useConsoleWorld((started) => (world = started), ['guarded', 'closed', 'visited']);

const signInButton = (page: Page) => page.locator('.tools').getByRole('button', { name: 'Sign in' });
const signOutButton = (page: Page) => page.getByRole('button', { name: 'Sign out' });

/** Goes through the pages of the provider: signs in, and gives the console consent. */
async function agree(page: Page, login: string): Promise<void> {
  await page.locator('input[name=login]').fill(login);
  await page.locator('input[name=password]').fill('any');
  await page.getByRole('button', { name: 'Sign-in' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
}

async function signIn(registry: string, fragment: string): Promise<WatchedPage> {
  const shown = await openPage(world.browser, `${world.address(registry)}${fragment}`);
  await signInButton(shown.page).click();
  await agree(shown.page, 'ann');
  await signOutButton(shown.page).waitFor();
  return shown;
}

/** Returns the messages of the console itself, except for expected refusals. */
const saidByConsole = ({ messages }: WatchedPage) =>
  messages
    .filter(({ url, text }) => url.startsWith(world.api.url) && !text.includes('401') && !NOT_YET.test(text))
    .map(({ text }) => text);

describe('signing in at the identity provider', () => {
  it('comes back to the same place with a token in memory, and leaves nothing behind', async () => {
    const shown = await signIn('guarded', '#/sources/ours');
    const { page, requested } = shown;
    await page.locator('.account', { hasText: 'ann' }).waitFor();
    await page.locator('.runs tbody tr').first().waitFor();
    expect(page.url()).toBe(`${world.address('guarded')}#/sources/ours`);

    const authorization = new URL(requested.find((url) => url.includes('/auth?')) ?? '');
    expect(Object.fromEntries(authorization.searchParams)).toMatchObject({
      client_id: 'console',
      redirect_uri: world.address('guarded'),
      response_type: 'code',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      scope: 'openid mcp-registry:read mcp-registry:write',
    });
    const kept = await page.evaluate<string>(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])',
    );
    expect(kept).toBe('[{},{"mcp-registry-signed-in":"yes"},""]');
    expect(saidByConsole(shown)).toEqual([]);
    expect(await findBarriers(page)).toEqual([]);
  });

  it('is repeated without questions after a reload, while the provider remembers', async () => {
    const { page, requested } = await signIn('guarded', '#/');
    await page.locator('.row').first().waitFor();
    requested.length = 0;
    await page.reload();
    await signOutButton(page).waitFor();
    await page.locator('.row').first().waitFor();
    expect(requested.find((url) => url.includes('/auth?'))).toContain('prompt=none');

    await page.context().clearCookies();
    await page.reload();
    await signInButton(page).waitFor();
    await page.getByText('Sign in to see this').waitFor();
    await expect.poll(() => page.locator('.bar').count()).toBe(0);
  });

  it('is refused when the answer has another state than the question', async () => {
    const { page } = await openPage(world.browser, world.address('guarded'));
    // Replace the state of the request, because the provider returns it unchanged.
    await page.route(`${world.provider.issuer}/auth?**`, (route) => {
      const url = new URL(route.request().url());
      url.searchParams.set('state', 'x'.repeat(43));
      return route.continue({ url: url.href });
    });
    await signInButton(page).click();
    await agree(page, 'ann');
    await page.locator('.bar', { hasText: 'Signing in failed' }).waitFor();
    await signInButton(page).waitFor();
    expect(page.url()).not.toContain('code=');
  });

  it('does not take the answer to a question that this tab did not ask', async () => {
    const { page, requested } = await openPage(world.browser, `${world.address('guarded')}?code=stolen&state=stolen`);
    await page.locator('.bar', { hasText: 'does not belong to a sign-in that this tab started' }).waitFor();
    expect(requested.filter((url) => url.startsWith(world.provider.issuer))).toEqual([]);
    expect(page.url()).toBe(`${world.address('guarded')}`);
  });

  it('says that the visitor declined', async () => {
    const { page } = await openPage(world.browser, world.address('guarded'));
    await signInButton(page).click();
    await page.locator('input[name=login]').waitFor();
    await page.getByRole('link', { name: /Cancel/ }).click();
    await page.locator('.bar', { hasText: /Signing in failed: .*abort|denied|cancel/i }).waitFor();
    expect(new URL(page.url()).search).toBe('');
  });

  it('says that the provider is away, and works again when it is back', async () => {
    const { page } = await openPage(world.browser, world.address('guarded'));
    await signInButton(page).click();
    await page.locator('input[name=login]').fill('ann');
    await page.locator('input[name=password]').fill('any');
    await page.getByRole('button', { name: 'Sign-in' }).click();
    await page.getByRole('button', { name: 'Continue' }).waitFor();
    await page.route('**/token', (route) => route.abort());
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.locator('.bar', { hasText: 'the identity provider does not respond' }).waitFor();
    await page.unroute('**/token');
    await page.locator('.bar').getByRole('button', { name: 'Sign in again' }).click();
    await signOutButton(page).waitFor();
    await expect.poll(() => page.locator('.bar', { hasText: 'identity provider' }).count()).toBe(0);
  });

  it('ends with a warning before the token does, and with the token', async () => {
    await world.provider.admitConsole([world.address('guarded')], 90);
    const { page } = await signIn('guarded', '#/');
    await page.locator('.row').first().waitFor();
    await page.locator('.bar', { hasText: /Your session expires in \d+ seconds/ }).waitFor({ timeout: 60_000 });
    await page.route('**/v0.1/**', (route) =>
      route.fulfill({ status: 401, body: '{"error":"the token has expired"}' }),
    );
    await page.getByRole('searchbox').fill('x');
    await page.locator('.bar', { hasText: 'Your session has expired' }).waitFor();
    await signInButton(page).waitFor();
    expect(await signOutButton(page).count()).toBe(0);
    await world.provider.admitConsole(['guarded', 'visited'].map((name) => world.address(name)));
  });
});

describe('what a caller is offered', () => {
  it('to see what is open to everybody, and to sign in for the rest', async () => {
    const shown = await openPage(world.browser, world.address('visited'));
    const { page } = shown;
    await page.locator('.found', { hasText: /^26 servers$/ }).waitFor();
    await page.getByRole('navigation').getByRole('link', { name: 'Sources' }).click();
    await page.getByText('Sign in to see this').waitFor();
    expect(shown.messages).toEqual([]);
    await page.locator('main').getByRole('button', { name: 'Sign in' }).click();
    await agree(page, 'bea');
    await page.locator('.source-line').first().waitFor();
    await page.getByRole('navigation').getByRole('link', { name: 'Servers' }).click();
    await page.locator('.found', { hasText: /^146 servers$/ }).waitFor();
  });

  it('"Sync now" starts one sync, and says when it is over', async () => {
    const { page } = await signIn('guarded', '#/sources/mirror');
    const ref = world.registries.registryCalled('guarded');
    const countRuns = () =>
      world.registries.runs.filter((run) => run.registry.name === ref.name && run.outcome.source === 'mirror').length;
    const before = countRuns();
    await page.getByRole('button', { name: 'Sync now' }).click();
    await page.getByText('A sync has started').waitFor({ state: 'attached' });
    await eventually(() => countRuns() > before || undefined);
    await expect.poll(() => page.locator('.runs tbody tr').count()).toBeGreaterThan(before);
    await page.getByRole('button', { name: 'Sync now' }).waitFor();
    expect(countRuns()).toBe(before + 1);
  });

  it('no "Sync now" to a caller who may only read, and none without a login', async () => {
    const { page } = await openPage(world.browser, `${world.address('closed')}#/sources/ours`);
    await pasteToken(page, await world.provider.sign({ scope: 'mcp-registry:read', sub: 'reader' }));
    await page.locator('.account', { hasText: 'reader' }).waitFor();
    await page.locator('.runs tbody tr').first().waitFor();
    expect(await page.getByRole('button', { name: 'Sync now' }).count()).toBe(0);

    const open = await openPage(world.browser, `${world.address()}#/sources/ours`);
    await open.page.locator('.runs tbody tr').first().waitFor();
    expect(await open.page.getByRole('button', { name: /Sync now|Sign in/ }).count()).toBe(0);
    expect(open.requested.some((url) => url.endsWith('/v1/me'))).toBe(false);
  });
});

async function pasteToken(page: Page, token: string): Promise<void> {
  await signInButton(page).click();
  const dialog = page.getByRole('dialog', { name: 'Sign in with a token' });
  await dialog.getByLabel('Bearer token').fill(token);
  await dialog.getByRole('button', { name: 'Sign in' }).click();
}

describe('a pasted token', () => {
  it('is sent to the registry only, and forgotten by a reload', async () => {
    const { page } = await openPage(world.browser, world.address('closed'));
    const told: string[] = [];
    page.on('request', (request) => {
      if (request.headers()['authorization'] !== undefined) told.push(new URL(request.url()).origin);
    });
    await signInButton(page).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('How to get a token').click();
    await dialog.getByText('kubectl create token').waitFor();
    await dialog.getByRole('link', { name: new RegExp(world.provider.issuer) }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await pasteToken(page, `Bearer ${await world.provider.sign({ scope: 'mcp-registry:read mcp-registry:write' })}`);
    await page.locator('.row').first().waitFor();
    expect(new Set(told)).toEqual(new Set([new URL(world.api.url).origin]));
    expect(await page.evaluate('localStorage.length + sessionStorage.length')).toBe(0);
    await page.reload();
    await page.getByText('Sign in to see this').waitFor();
  });

  it('that is refused is dropped, and the page says so', async () => {
    const { page } = await openPage(world.browser, world.address('closed'));
    await pasteToken(page, 'x.y.z');
    await page.locator('.bar', { hasText: 'Your session has expired' }).waitFor();
    await signInButton(page).waitFor();
    expect(await page.locator('.row').count()).toBe(0);
  });

  it('is forgotten when its owner signs out', async () => {
    const { page } = await openPage(world.browser, world.address('closed'));
    await pasteToken(page, await world.provider.sign({ scope: 'mcp-registry:read' }));
    await page.locator('.row').first().waitFor();
    await signOutButton(page).click();
    await page.getByText('Sign in to see this').waitFor();
    expect(await page.locator('.row').count()).toBe(0);
  });
});
