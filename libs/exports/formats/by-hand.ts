import type { ClientSyntax, Place } from '../client-file.js';

/** For clients that replace nothing: the user replaces `<NAME>` in the file. */
export const byHand = (places: readonly Place[]): ClientSyntax => ({
  inputPlaces: new Set(places),
  placeholder: (name) => `<${name}>`,
  isByHand: true,
});
