/** Names that Windows keeps for devices, with any extension. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;
/** Letters of the part made from the tensor's name; file systems allow 255 bytes for all of it. */
const MOST_LETTERS = 120;

/** The name with only letters, digits, `.`, `-` and `_`; never empty, hidden, reserved or ending in a dot. */
function plainName(name: string): string {
  const plain = name
    .replace(/[^A-Za-z0-9._-]+/g, '_')
    .replace(/^[._]+/, '')
    .slice(0, MOST_LETTERS)
    .replace(/\.+$/, '');
  if (plain === '') return 'tensor';
  return RESERVED.test(plain) ? `_${plain}` : plain;
}

/**
 * A file name for each tensor name, in order: safe on every file system (no path characters, no reserved names) and different from
 * the others also where letters' case does not count.
 */
export function safeFileNames(
  names: readonly string[],
  extension: string,
): ReadonlyMap<string, string> {
  const taken = new Set<string>();
  const result = new Map<string, string>();
  for (const name of new Set(names)) {
    const plain = plainName(name);
    let file = `${plain}${extension}`;
    for (let copy = 2; taken.has(file.toLowerCase()); copy++) file = `${plain}-${copy}${extension}`;
    taken.add(file.toLowerCase());
    result.set(name, file);
  }
  return result;
}
