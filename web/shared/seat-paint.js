// How a map of seats is painted: sections with counts from afar, seats from near. Colour is never the only sign.

import { number, say } from "./words.js";
import { free } from "./seat-layout.js";

/** @typedef {import("./seat-layout.js").Seat} Seat */
/** @typedef {import("./seat-layout.js").Block} Block */
/** @typedef {import("./seat-layout.js").Box} Box */

/** Pixels that a seat needs to be drawn as one; below, its section is drawn. */
export const NEAR = 7;
/** Pixels that a seat needs to show its number, and a row its name. */
const NUMBERED = 20;
/** Pixels of a name, at most and at least. */
const [LARGE, SMALL] = [14, 8];

/**
 * @typedef {object} Brush
 * @property {CanvasRenderingContext2D} context in units of a seat
 * @property {(name: string) => string} colour of the page's style
 * @property {number} scale pixels of a seat
 * @property {boolean} isDetailed whether held is told from sold
 */

/** Words of so many pixels. @param {Brush} brush @param {string} words @param {number} x @param {number} y @param {number} pixels */
function write({ context, scale }, words, x, y, pixels) {
  context.font = `${pixels / scale}px system-ui, sans-serif`;
  context.fillText(words, x, y);
}

/** A section from afar: as full of colour as it is free, its name, and how many are left. @param {Brush} brush @param {Block} block */
export function paintBlock(brush, block) {
  const { context, colour, scale } = brush;
  const left = free(block.seats).length;
  context.fillStyle = colour("--far");
  context.fillRect(block.x, block.y, block.width, block.height);
  context.fillStyle = colour("--free");
  const gone = block.height * (1 - left / block.seats.length);
  context.globalAlpha = 0.35;
  context.fillRect(block.x, block.y + gone, block.width, block.height - gone);
  context.globalAlpha = 1;
  context.fillStyle = colour("--text");
  context.textAlign = "center";
  context.textBaseline = "middle";
  const lines = [block.name, number(left)];
  const pixels = Math.min(LARGE, (1.6 * block.width * scale) / Math.max(...lines.map((line) => line.length)), (block.height * scale) / 2.5);
  if (pixels < SMALL) return;
  const [x, y] = [block.x + block.width / 2, block.y + block.height / 2];
  lines.forEach((line, index) => write(brush, line, x, y + ((index - 0.5) * 1.2 * pixels) / scale, pixels));
}

/**
 * A section from near: its name, its rows and its seats.
 * @param {Brush} brush @param {Block} block @param {Map<Seat, [number, number]>} places @param {Map<number, Seat>} chosen @param {Box} seen
 */
export function paintSeats(brush, block, places, chosen, seen) {
  const { context, colour, scale } = brush;
  context.lineWidth = 0.1;
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const seat of block.seats) {
    const [x, y] = /** @type {[number, number]} */ (places.get(seat));
    if (x < seen.x - 1 || x > seen.x + seen.width || y < seen.y - 1 || y > seen.y + seen.height) continue;
    paintSeat(brush, seat, x, y, chosen.has(seat.seatId));
  }
  context.fillStyle = colour("--text");
  write(brush, block.name, block.x + block.width / 2, block.y - 0.6, Math.min(LARGE, 1.2 * scale));
  if (scale < NUMBERED) return;
  context.textAlign = "right";
  for (const row of block.rows) write(brush, say("row", { row: row.name }), row.x - 0.3, row.y + 0.5, LARGE - 2);
}

/** @param {Brush} brush @param {Seat} seat @param {number} x @param {number} y @param {boolean} isChosen */
function paintSeat(brush, seat, x, y, isChosen) {
  const { context, colour, scale, isDetailed } = brush;
  if (isChosen) {
    context.fillStyle = colour("--chosen");
    context.fillRect(x, y, 1, 1);
    context.strokeStyle = colour("--chosen-ink");
    stroke(context, [x + 0.25, y + 0.55], [x + 0.45, y + 0.75], [x + 0.8, y + 0.25]);
  } else if (seat.status === "AVAILABLE") {
    context.fillStyle = colour("--free");
    context.fillRect(x + 0.1, y + 0.1, 0.8, 0.8);
    context.fillStyle = colour("--free-ink");
    const name = String(seat.number ?? seat.seatName);
    if (scale >= NUMBERED) write(brush, name, x + 0.5, y + 0.53, Math.min(LARGE - 2, (0.8 * scale) / Math.max(1.5, 0.65 * name.length)));
  } else if (seat.status === "HELD" && isDetailed) {
    context.strokeStyle = colour("--text");
    context.strokeRect(x + 0.15, y + 0.15, 0.7, 0.7);
    stroke(context, [x + 0.3, y + 0.5], [x + 0.7, y + 0.5]);
  } else {
    context.strokeStyle = colour("--taken");
    stroke(context, [x + 0.3, y + 0.3], [x + 0.7, y + 0.7]);
    stroke(context, [x + 0.7, y + 0.3], [x + 0.3, y + 0.7]);
  }
}

/** @param {CanvasRenderingContext2D} context @param {[number, number][]} points */
function stroke(context, ...points) {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.stroke();
}
