/** Width and height of a character cell, without the gap to the next. */
export const GLYPH_WIDTH = 5;
export const GLYPH_HEIGHT = 7;

/** Rows of a character from top to bottom, five bits each, leftmost pixel first. */
const GLYPHS: Readonly<Record<string, string>> = {
  '0': '01110 10001 10011 10101 11001 10001 01110',
  '1': '00100 01100 00100 00100 00100 00100 01110',
  '2': '01110 10001 00001 00010 00100 01000 11111',
  '3': '11111 00010 00100 00010 00001 10001 01110',
  '4': '00010 00110 01010 10010 11111 00010 00010',
  '5': '11111 10000 11110 00001 00001 10001 01110',
  '6': '00110 01000 10000 11110 10001 10001 01110',
  '7': '11111 00001 00010 00100 01000 01000 01000',
  '8': '01110 10001 10001 01110 10001 10001 01110',
  '9': '01110 10001 10001 01111 00001 00010 01100',
  '.': '00000 00000 00000 00000 00000 01100 01100',
  '-': '00000 00000 00000 11111 00000 00000 00000',
  '+': '00000 00100 00100 11111 00100 00100 00000',
  e: '00000 00000 01110 10001 11111 10000 01110',
};

/** True where the character's pixel (x, y) is set; characters without a glyph are blank. */
export const glyphPixel = (character: string, x: number, y: number): boolean =>
  GLYPHS[character]?.[y * (GLYPH_WIDTH + 1) + x] === '1';

/** Pixels that a text takes: one column between characters. */
export const textWidth = (text: string): number => Math.max(0, text.length * (GLYPH_WIDTH + 1) - 1);
