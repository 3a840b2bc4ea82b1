/** Text of a model, path or file name inside markdown: every character that could be markup is escaped. */
export const escapeMarkdown = (text: string): string =>
  text
    .slice(0, 500)
    .replaceAll(/[\\`*_{}[\]()#+!|<>~$&@:/-]/g, '\\$&')
    .replaceAll(/[\r\n]+/g, ' ');

/** A link that runs one of the commands that hovers may run (the client's list decides). */
export const commandLink = (title: string, command: string, args: readonly string[]): string =>
  `[${escapeMarkdown(title)}](command:${command}?${encodeURIComponent(JSON.stringify(args)).replaceAll(/[()]/g, character => (character === '(' ? '%28' : '%29'))})`;

/** A picture inside a hover, drawn at its size in pixels. */
export const imageMarkdown = (
  alternative: string,
  png: Uint8Array,
  width: number,
  height: number,
): string =>
  `![${escapeMarkdown(alternative)}](data:image/png;base64,${Buffer.from(png.buffer, png.byteOffset, png.byteLength).toString('base64')}|width=${width},height=${height})`;

/** `3.4 MB`. */
export function bytesText(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit] ?? ''}`;
}
