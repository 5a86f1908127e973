/** This release, as in package.json (a test compares the two). A constant, so that `--version` reads no file. */
export const VERSION = '0.1.0';
