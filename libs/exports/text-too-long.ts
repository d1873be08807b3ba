/** Thrown if the text of an export would be longer than `maxLength`. */
export class TextTooLong extends Error {
  override readonly name = 'TextTooLong';
}
