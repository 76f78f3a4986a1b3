// The house as a picture, for up to 50,000 seats on one canvas: sections with counts from afar, seats from near. Whatever can be
// done here can be done in the list beside it.

import { number, say } from "../shared/words.js";
import { free, seatsOf } from "./house.js";

/** @typedef {import("./house.js").House} House */
/** @typedef {import("./house.js").Seat} Seat */
/** @typedef {{name: string, x: number, y: number, width: number, height: number, seats: Seat[]}} Block */

/** Pixels that a seat needs to be drawn as one; below, its section is drawn. */
const NEAR = 7;
/** A tap is a drag that went no further than so many pixels. */
const TAP = 6;
/** Seats in a line where a section has no rows. */
const STANDING_LINE = 20;

class SeatMap extends HTMLElement {
  /** @type {House | null} */
  #house = null;
  /** @type {Map<number, Seat>} */
  #chosen = new Map();
  /** @type {Block[]} */
  #blocks = [];
  /** @type {Map<Seat, [x: number, y: number]>} */
  #places = new Map();
  #size = { width: 1, height: 1 };
  #view = { x: 0, y: 0, scale: 1 };
  #laidOut = 0;
  #zone = "";
  #frame = 0;
  #canvas = document.createElement("canvas");
  /** @type {Map<number, {x: number, y: number}>} */
  #fingers = new Map();
  #moved = 0;
  /** @type {(seat: Seat) => void} */
  toggle = () => {};
  /** @type {(zoneName: string | null) => void} */
  enter = () => {};

  connectedCallback() {
    if (this.#canvas.parentNode) return;
    const buttons = document.createElement("p");
    buttons.className = "buttons";
    const doing = { zoomIn: () => this.#zoom(1.5), zoomOut: () => this.#zoom(1 / 1.5), wholeHouse: () => this.#fit() };
    for (const [name, act] of Object.entries(doing)) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = say(name);
      button.addEventListener("click", act);
      buttons.append(button);
    }
    this.#canvas.setAttribute("role", "img");
    this.append(this.#canvas, buttons);
    new ResizeObserver(() => this.#resize()).observe(this.#canvas);
    this.#listen();
  }

  /** @param {House} house */
  set house(house) {
    this.#house = house;
    if (house.seats.size !== this.#laidOut) this.#layOut();
    this.#draw();
  }

  /** @param {Map<number, Seat>} chosen */
  set chosen(chosen) {
    this.#chosen = chosen;
    this.#draw();
  }

  /** @param {string | null} zone */
  set zone(zone) {
    if ((zone ?? "") === this.#zone) return;
    this.#zone = zone ?? "";
    const block = this.#blocks.find(({ name }) => name === zone);
    if (block) this.#look(block);
    else this.#fit();
  }

  #layOut() {
    const house = /** @type {House} */ (this.#house);
    this.#laidOut = house.seats.size;
    this.#places.clear();
    const seats = [...house.seats.values()];
    const isDrawn = seats.length > 0 && seats.every((seat) => seat.x !== null && seat.y !== null);
    this.#blocks = isDrawn ? this.#fromPlan() : this.#fromRows();
    this.#size.width = Math.max(1, ...this.#blocks.map((block) => block.x + block.width));
    this.#size.height = Math.max(1, ...this.#blocks.map((block) => block.y + block.height));
    this.#fit();
  }

  /** The catalogue says where each seat is: its distances are made distances of seats. */
  #fromPlan() {
    const house = /** @type {House} */ (this.#house);
    const all = [...house.seats.values()];
    const [left, top] = [least(all, "x"), least(all, "y")];
    const area = Math.max(1, (most(all, "x") - left) * (most(all, "y") - top));
    const unit = Math.sqrt(area / all.length) / 1.4 || 1;
    return house.zones.map((zone) => {
      const seats = seatsOf(zone);
      for (const seat of seats) this.#places.set(seat, [(Number(seat.x) - left) / unit, (Number(seat.y) - top) / unit]);
      return this.#around(zone.zoneName, seats);
    });
  }

  /** Nobody says where they are: sections one behind the other, each row centred. */
  #fromRows() {
    let top = 0;
    const house = /** @type {House} */ (this.#house);
    const widest = Math.max(1, ...house.zones.flatMap((zone) => zone.rows.map((row) => widthOf(row))));
    return house.zones.map((zone) => {
      for (const row of zone.rows) {
        const width = widthOf(row);
        const numbers = row.row === null ? [] : row.seats.map((seat) => seat.number ?? 0);
        const first = Math.min(...numbers);
        row.seats.forEach((seat, index) => {
          const across = row.row === null ? index % STANDING_LINE : (seat.number ?? 0) - first;
          const down = row.row === null ? Math.floor(index / STANDING_LINE) : 0;
          this.#places.set(seat, [(widest - width) / 2 + across, top + down]);
        });
        top += row.row === null ? Math.ceil(row.seats.length / STANDING_LINE) : 1;
      }
      const block = this.#around(zone.zoneName, seatsOf(zone));
      top += 1.5;
      return block;
    });
  }

  /** @param {string} name @param {Seat[]} seats @returns {Block} */
  #around(name, seats) {
    const places = seats.map((seat) => /** @type {[number, number]} */ (this.#places.get(seat)));
    const [xs, ys] = [places.map(([x]) => x), places.map(([, y]) => y)];
    const [x, y] = [smallest(xs), smallest(ys)];
    return { name, x, y, width: largest(xs) - x + 1, height: largest(ys) - y + 1, seats };
  }

  #fit() {
    this.#look({ x: 0, y: 0, ...this.#size });
  }

  /** @param {{x: number, y: number, width: number, height: number}} part */
  #look(part) {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const scale = Math.min(width / (part.width + 1), height / (part.height + 1), 40) || 1;
    this.#view = {
      x: part.x + part.width / 2 - width / 2 / scale,
      y: part.y + part.height / 2 - height / 2 / scale,
      scale,
    };
    this.#draw();
  }

  /** @param {number} factor @param {number} [x] @param {number} [y] where to, on the canvas */
  #zoom(factor, x = this.#canvas.clientWidth / 2, y = this.#canvas.clientHeight / 2) {
    const view = this.#view;
    const scale = Math.min(60, Math.max(0.2, view.scale * factor));
    this.#view = { x: view.x + x / view.scale - x / scale, y: view.y + y / view.scale - y / scale, scale };
    this.#draw();
  }

  #resize() {
    const ratio = devicePixelRatio || 1;
    const { clientWidth, clientHeight } = this.#canvas;
    this.#canvas.width = clientWidth * ratio;
    this.#canvas.height = clientHeight * ratio;
    const block = this.#blocks.find(({ name }) => name === this.#zone);
    if (block) this.#look(block);
    else this.#fit();
  }

  #draw() {
    if (!this.#frame) this.#frame = requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    this.#frame = 0;
    const context = this.#canvas.getContext("2d");
    if (!context || !this.#house) return;
    const colours = getComputedStyle(this);
    const ratio = devicePixelRatio || 1;
    const { x, y, scale } = this.#view;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    context.setTransform(ratio * scale, 0, 0, ratio * scale, -x * ratio * scale, -y * ratio * scale);
    const right = x + this.#canvas.clientWidth / scale;
    const bottom = y + this.#canvas.clientHeight / scale;
    for (const block of this.#blocks) {
      const isSeen =
        block.x < right && block.x + block.width > x && block.y < bottom && block.y + block.height > y;
      if (!isSeen) continue;
      if (scale < NEAR) paintBlock(context, block, colours, scale);
      else this.#paintSeats(context, block, colours, { x, y, right, bottom });
    }
    const left = free([...this.#house.seats.values()]).length;
    const total = this.#house.seats.size;
    this.#canvas.setAttribute("aria-label", `${say("seatMap")}: ${say("seatsLeft", { available: left, total })}`);
    if (total > 0 && performance.getEntriesByName("map-drawn").length === 0) performance.mark("map-drawn");
  }

  /**
   * @param {CanvasRenderingContext2D} context @param {Block} block @param {CSSStyleDeclaration} colours
   * @param {{x: number, y: number, right: number, bottom: number}} seen
   */
  #paintSeats(context, block, colours, seen) {
    const [isFree, isChosen, isTaken, ink] = ["--free", "--chosen", "--taken", "--chosen-ink"].map((name) =>
      colours.getPropertyValue(name),
    );
    context.lineWidth = 0.1;
    for (const seat of block.seats) {
      const [x, y] = /** @type {[number, number]} */ (this.#places.get(seat));
      if (x < seen.x - 1 || x > seen.right || y < seen.y - 1 || y > seen.bottom) continue;
      if (this.#chosen.has(seat.seatId)) {
        context.fillStyle = isChosen;
        context.fillRect(x, y, 1, 1);
        context.strokeStyle = ink;
        stroke(context, [x + 0.25, y + 0.55], [x + 0.45, y + 0.75], [x + 0.8, y + 0.25]);
      } else if (seat.status === "AVAILABLE") {
        context.fillStyle = isFree;
        context.fillRect(x + 0.1, y + 0.1, 0.8, 0.8);
      } else {
        context.strokeStyle = isTaken;
        stroke(context, [x + 0.3, y + 0.3], [x + 0.7, y + 0.7]);
        stroke(context, [x + 0.7, y + 0.3], [x + 0.3, y + 0.7]);
      }
    }
  }

  #listen() {
    const canvas = this.#canvas;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.#zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, event.offsetX, event.offsetY);
    });
    canvas.addEventListener("pointerdown", (event) => {
      if (this.#fingers.size === 0) this.#moved = 0;
      canvas.setPointerCapture(event.pointerId);
      this.#fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    });
    canvas.addEventListener("pointermove", (event) => this.#drag(event));
    canvas.addEventListener("pointerup", (event) => {
      this.#fingers.delete(event.pointerId);
      if (this.#moved <= TAP && this.#fingers.size === 0) this.#tap(event.offsetX, event.offsetY);
    });
    canvas.addEventListener("pointercancel", (event) => this.#fingers.delete(event.pointerId));
  }

  /** One finger moves the house, two change its size. @param {PointerEvent} event */
  #drag(event) {
    const before = this.#fingers.get(event.pointerId);
    if (!before) return;
    const now = { x: event.offsetX, y: event.offsetY };
    this.#fingers.set(event.pointerId, now);
    this.#moved += Math.hypot(now.x - before.x, now.y - before.y);
    const others = [...this.#fingers].filter(([pointer]) => pointer !== event.pointerId);
    if (others.length === 1) {
      const [, other] = others[0];
      const distance = (/** @type {{x: number, y: number}} */ at) => Math.hypot(at.x - other.x, at.y - other.y) || 1;
      this.#zoom(distance(now) / distance(before), other.x, other.y);
    } else if (this.#moved > TAP) {
      this.#view.x -= (now.x - before.x) / this.#view.scale;
      this.#view.y -= (now.y - before.y) / this.#view.scale;
      this.#draw();
    }
  }

  /** @param {number} x @param {number} y */
  #tap(x, y) {
    const view = this.#view;
    const [left, top] = [view.x + x / view.scale, view.y + y / view.scale];
    const isIn = (/** @type {number} */ at, /** @type {number} */ from, /** @type {number} */ size) =>
      at >= from && at < from + size;
    const block = this.#blocks.find((each) => isIn(left, each.x, each.width) && isIn(top, each.y, each.height));
    if (!block) return;
    if (view.scale < NEAR) {
      this.enter(block.name);
      return;
    }
    const seat = block.seats.find((each) => {
      const [seatX, seatY] = /** @type {[number, number]} */ (this.#places.get(each));
      return isIn(left, seatX, 1) && isIn(top, seatY, 1);
    });
    if (seat) this.toggle(seat);
  }
}

/** @param {CanvasRenderingContext2D} context @param {[number, number][]} points */
function stroke(context, ...points) {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.stroke();
}

/**
 * A section from afar: a bar that is filled as far as it is free, its name, and how many are left.
 * @param {CanvasRenderingContext2D} context @param {Block} block @param {CSSStyleDeclaration} colours @param {number} scale
 */
function paintBlock(context, block, colours, scale) {
  const left = free(block.seats).length;
  context.fillStyle = colours.getPropertyValue("--far");
  context.fillRect(block.x, block.y, block.width, block.height);
  context.fillStyle = colours.getPropertyValue("--free");
  const gone = block.height * (1 - left / block.seats.length);
  context.globalAlpha = 0.35;
  context.fillRect(block.x, block.y + gone, block.width, block.height - gone);
  context.globalAlpha = 1;
  context.fillStyle = colours.getPropertyValue("--text");
  context.font = `${13 / scale}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(`${block.name}: ${number(left)}`, block.x + block.width / 2, block.y + block.height / 2);
}

/** @param {import("./house.js").Row} row */
function widthOf(row) {
  if (row.row === null) return Math.min(STANDING_LINE, row.seats.length);
  const numbers = row.seats.map((seat) => seat.number ?? 0);
  return largest(numbers) - smallest(numbers) + 1;
}

/** @param {number[]} values */
const smallest = (values) => values.reduce((before, value) => Math.min(before, value), Infinity);
/** @param {number[]} values */
const largest = (values) => values.reduce((before, value) => Math.max(before, value), -Infinity);
/** @param {Seat[]} seats @param {"x" | "y"} member */
const least = (seats, member) => smallest(seats.map((seat) => Number(seat[member])));
/** @param {Seat[]} seats @param {"x" | "y"} member */
const most = (seats, member) => largest(seats.map((seat) => Number(seat[member])));

customElements.define("seat-map", SeatMap);
