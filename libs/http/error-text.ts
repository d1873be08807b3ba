const SHOWN_CHARACTERS = 200;

/** What a server says in the JSON body of a failure (`error`, or RFC 9457's `detail` and `title`); undefined for pages and silence. */
export function errorText(body: Uint8Array): string | undefined {
  try {
    const said = JSON.parse(Buffer.from(body).toString()) as Record<string, unknown> | null;
    const text = [said?.['error'], said?.['detail'], said?.['message'], said?.['title']].find(
      (value) => typeof value === 'string' && value !== '',
    );
    return text === undefined
      ? undefined
      : String(text)
          .slice(0, SHOWN_CHARACTERS)
          .toWellFormed()
          .replace(/[\s\p{Cc}]+/gu, ' ');
  } catch {
    return undefined;
  }
}
