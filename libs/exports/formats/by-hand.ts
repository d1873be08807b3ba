import type { ClientSyntax, Place } from '../client-file.js';

/** Returns the syntax of clients that replace no placeholders, so that the user replaces `<NAME>` in the file. */
export const byHand = (places: readonly Place[]): ClientSyntax => ({
  inputPlaces: new Set(places),
  placeholder: (name) => `<${name}>`,
  isByHand: true,
});
