// Draws icon.png: node icon.mjs
import { writeFileSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";

const SIZE = 128;
const BACKGROUND = [31, 60, 110, 255];
const LAYERS = [
  [244, 246, 250, 255],
  [158, 190, 240, 255],
  [94, 140, 220, 255],
];

/** Three layers, each a rhombus, of which the first lies on top. */
function colourAt(x, y) {
  const layer = LAYERS.find((_, i) => Math.abs(x - 64) / 48 + Math.abs(y - 44 - 20 * i) / 24 <= 1);
  return layer ?? BACKGROUND;
}

function chunk(type, content) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), content]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(content.length, 0);
  ends.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
}

const header = Buffer.from([0, 0, 0, SIZE, 0, 0, 0, SIZE, 8, 6, 0, 0, 0]); // 8 bits a channel, RGBA
const rows = Array.from({ length: SIZE }, (_, y) => [0, ...Array.from({ length: SIZE }, (_, x) => colourAt(x, y)).flat()]);
const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
const content = chunk("IDAT", deflateSync(Buffer.from(rows.flat()), { level: 9 }));
writeFileSync("icon.png", Buffer.concat([signature, chunk("IHDR", header), content, chunk("IEND", Buffer.alloc(0))]));
