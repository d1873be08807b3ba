/**
 * Removes the user information from URLs in a string: everything between `//` and the last `@` of a word. Takes linear
 * time.
 */
export function withoutCredentials(text: string): string {
  return text.replace(/\S+/g, (word) => {
    const start = word.indexOf('//') + 2;
    const end = word.lastIndexOf('@') + 1;
    return start < 2 || end <= start ? word : word.slice(0, start) + word.slice(end);
  });
}
