// Writes protocol/colorTables.ts: 256 colours of each map of d3-scale-chromatic, as hexadecimal.
//   node scripts/makeColorMaps.mjs
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  interpolateInferno,
  interpolateRdBu,
  interpolateTurbo,
  interpolateViridis,
} from 'd3-scale-chromatic';

const maps = {
  viridis: interpolateViridis,
  inferno: interpolateInferno,
  turbo: interpolateTurbo,
  grey: t =>
    `rgb(${Array(3)
      .fill(Math.round(t * 255))
      .join()})`,
  // Blue is negative, red positive.
  diverging: t => interpolateRdBu(1 - t),
};

/** `#rrggbb` or `rgb(r, g, b)` → `rrggbb`. */
function hexadecimal(colour) {
  if (colour.startsWith('#')) return colour.slice(1);
  const parts = colour.match(/\d+/g).map(Number);
  return parts.map(part => part.toString(16).padStart(2, '0')).join('');
}

const table = map => Array.from({ length: 256 }, (_, i) => hexadecimal(map(i / 255))).join('');
const lines = Object.entries(maps).map(([name, map]) => `  ${name}:\n    '${table(map)}',`);
const text = `/** 256 colours of each map, \`rrggbb\` each. Made by scripts/makeColorMaps.mjs; do not edit. */
export const COLOR_TABLES = {
${lines.join('\n')}
} as const;
`;
writeFileSync(path.resolve(import.meta.dirname, '../protocol/colorTables.ts'), text);
