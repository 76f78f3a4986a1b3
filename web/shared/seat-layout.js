// Where the seats of a house stand on a map, in widths of a seat: as the catalogue says, or else section by section and row by row.

/**
 * @typedef {object} Seat
 * @property {number} seatId
 * @property {string} seatName
 * @property {string} zoneName
 * @property {string | null} row
 * @property {number | null} number
 * @property {number | null} x
 * @property {number | null} y
 * @property {number} price
 * @property {"AVAILABLE" | "HELD" | "SOLD"} status
 */
/** @typedef {{row: string | null, seats: Seat[]}} Row */
/** @typedef {{zoneName: string, rows: Row[]}} Zone */
/** @typedef {{x: number, y: number, width: number, height: number}} Box */
/** @typedef {Box & {name: string, seats: Seat[], rows: {name: string, x: number, y: number}[]}} Block a section on the map */
/** @typedef {{blocks: Block[], places: Map<Seat, [x: number, y: number]>, whole: Box}} Layout */

/** Seats in a line where a section has no rows. */
const STANDING_LINE = 20;
/** Room between sections, for their names. */
const GAP = 1.75;
/** How much wider than high the whole is to be, where sections may stand anywhere. */
const SHAPE = 1.6;

/** Seats of these that can be had. @param {Seat[]} seats */
export const free = (seats) => seats.filter((seat) => seat.status === "AVAILABLE");

/** All seats of a zone. @param {Zone} zone */
export const seatsOf = (zone) => zone.rows.flatMap((row) => row.seats);

/** @param {Zone[]} zones @returns {Layout} */
export function layOut(zones) {
  const seats = zones.flatMap(seatsOf);
  const isDrawn = seats.length > 0 && seats.every((seat) => seat.x != null && seat.y != null);
  const places = isDrawn ? fromPlan(seats) : fromRows(zones);
  const blocks = zones.filter((zone) => zone.rows.length > 0).map((zone) => around(zone, places));
  return { blocks, places, whole: bounds(blocks) };
}

/** What all sections fill, with their names above them. @param {Block[]} blocks @returns {Box} */
function bounds(blocks) {
  if (blocks.length === 0) return { x: 0, y: 0, width: 1, height: 1 };
  const [x, y] = [smallest(blocks.map((block) => block.x)), smallest(blocks.map((block) => block.y)) - 1];
  const [right, bottom] = [largest(blocks.map((block) => block.x + block.width)), largest(blocks.map((block) => block.y + block.height))];
  return { x, y, width: right - x, height: bottom - y };
}

/** The catalogue says where each seat is: its distances are made distances of seats. @param {Seat[]} seats */
function fromPlan(seats) {
  const [xs, ys] = [seats.map((seat) => Number(seat.x)), seats.map((seat) => Number(seat.y))];
  const [left, top] = [smallest(xs), smallest(ys)];
  const area = Math.max(1, (largest(xs) - left) * (largest(ys) - top));
  const unit = Math.sqrt(area / seats.length) / 1.4 || 1;
  return new Map(seats.map((seat) => [seat, place((Number(seat.x) - left) / unit, (Number(seat.y) - top) / unit)]));
}

/** Nobody says where they are: sections stand in lines, so many that the whole has a screen's shape; rows are centred. @param {Zone[]} zones */
function fromRows(zones) {
  const width = Math.max(1, ...zones.flatMap((zone) => zone.rows.map(widthOf))) + 2;
  const heights = zones.map((zone) => zone.rows.reduce((sum, row) => sum + heightOf(row), GAP));
  const across = columns(zones.length, width, Math.max(1, ...heights));
  const places = /** @type {Layout["places"]} */ (new Map());
  for (let first = 0, top = 0; first < zones.length; first += across) {
    for (let column = 0; column < across && first + column < zones.length; column += 1) {
      let down = top + GAP;
      for (const row of zones[first + column].rows) {
        putRow(row, column * width + (width - widthOf(row)) / 2, down, places);
        down += heightOf(row);
      }
    }
    top += Math.max(...heights.slice(first, first + across));
  }
  return places;
}

/** How many sections stand in a line. @param {number} count @param {number} width @param {number} height */
function columns(count, width, height) {
  const distance = (/** @type {number} */ across) => Math.abs(Math.log((across * width) / (Math.ceil(count / across) * height) / SHAPE));
  return Array.from({ length: count }, (_, index) => index + 1).reduce((best, each) => (distance(each) < distance(best) ? each : best), 1);
}

/** @param {Row} row @param {number} left @param {number} top @param {Layout["places"]} places */
function putRow(row, left, top, places) {
  const isStanding = row.row === null;
  const first = isStanding ? 0 : smallest(row.seats.map((seat) => seat.number ?? 0));
  row.seats.forEach((seat, index) => {
    const [across, down] = isStanding ? [index % STANDING_LINE, Math.floor(index / STANDING_LINE)] : [(seat.number ?? 0) - first, 0];
    places.set(seat, [left + across, top + down]);
  });
}

/** @param {Row} row */
function widthOf(row) {
  if (row.row === null) return Math.min(STANDING_LINE, row.seats.length);
  const numbers = row.seats.map((seat) => seat.number ?? 0);
  return largest(numbers) - smallest(numbers) + 1;
}

/** @param {Row} row */
const heightOf = (row) => (row.row === null ? Math.ceil(row.seats.length / STANDING_LINE) : 1);

/** The block that a section fills, and where the names of its rows stand. @param {Zone} zone @param {Layout["places"]} places @returns {Block} */
function around(zone, places) {
  const at = (/** @type {Seat} */ seat) => /** @type {[number, number]} */ (places.get(seat));
  const seats = seatsOf(zone);
  const [xs, ys] = [seats.map((seat) => at(seat)[0]), seats.map((seat) => at(seat)[1])];
  const [x, y] = [smallest(xs), smallest(ys)];
  const rows = zone.rows
    .filter(({ row }) => row !== null)
    .map(({ row, seats }) => ({ name: row ?? "", x: smallest(seats.map((seat) => at(seat)[0])), y: at(seats[0])[1] }));
  return { name: zone.zoneName, x, y, width: largest(xs) - x + 1, height: largest(ys) - y + 1, seats, rows };
}

/** @param {number} x @param {number} y @returns {[x: number, y: number]} */
const place = (x, y) => [x, y];
/** @param {number[]} values */
const smallest = (values) => values.reduce((before, value) => Math.min(before, value), Infinity);
/** @param {number[]} values */
const largest = (values) => values.reduce((before, value) => Math.max(before, value), -Infinity);
