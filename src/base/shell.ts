/**
 * Text as one word of a command that a person may paste into a POSIX shell (XCU, section 2.2): whatever somebody else
 * has named it, it runs nothing and ends nothing. Control and format characters are left out, as a terminal takes some
 * of them for typed keys, and others hide what is pasted.
 */
export function shellWord(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '');
  return /^[\w./@:+,=%-]+$/.test(plain) ? plain : `'${plain.replaceAll("'", `'\\''`)}'`;
}
