const SHOWN_CHARACTERS = 200;

/**
 * Returns the error message in the JSON body of a failed response: `error`, `detail`, `message` or `title` (RFC 9457),
 * together with the items of `errors` (huma) or of a `detail` that is a list (FastAPI). Returns undefined if there is
 * none, for example in an HTML page. `secrets` are redacted, because careless servers echo what was sent to them.
 */
export function errorText(body: Uint8Array, secrets: readonly string[] = []): string | undefined {
  try {
    const said = JSON.parse(Buffer.from(body).toString()) as Record<string, unknown> | null;
    const summary = [said?.['error'], said?.['detail'], said?.['message'], said?.['title']].find(isText);
    const items = [said?.['errors'], said?.['detail']].filter(Array.isArray).flat().map(itemText).filter(isText);
    const whole = [summary, ...items.slice(0, 3)].filter(isText).join('; ');
    const text = secrets.filter(isText).reduce((rest, secret) => rest.replaceAll(secret, '…'), whole);
    return text ? toLine(text) : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the message of an item with its location, for example `query.limit: expected number <= 50`. */
function itemText(item: unknown): string | undefined {
  if (isText(item)) return item;
  const { location, loc, message, msg, detail } = (item ?? {}) as Record<string, unknown>;
  const place = Array.isArray(loc)
    ? loc.filter((step) => ['string', 'number'].includes(typeof step)).join('.')
    : location;
  const what = [message, msg, detail].find(isText);
  return what && isText(place) ? `${place}: ${what}` : what;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function toLine(text: string): string {
  return text
    .slice(0, SHOWN_CHARACTERS)
    .toWellFormed()
    .replace(/[\s\p{Cc}]+/gu, ' ');
}
