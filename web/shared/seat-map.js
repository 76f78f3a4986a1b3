// The house as a picture, for up to 50,000 seats on one canvas, to be moved, zoomed and tapped. Whatever can be done here can be
// done in the list beside it.

import { say } from "./words.js";
import { free, layOut } from "./seat-layout.js";
import { NEAR, paintBlock, paintSeats } from "./seat-paint.js";

/** @typedef {import("./seat-layout.js").Seat} Seat */
/** @typedef {import("./seat-layout.js").Box} Box */
/** @typedef {{zones: import("./seat-layout.js").Zone[], seats: Map<number, Seat>}} House */

/** A tap is a drag that went no further than so many pixels. */
const TAP = 6;
/** The largest seat, in pixels. */
const LARGEST = 40;

class SeatMap extends HTMLElement {
  /** @type {House | null} */
  #house = null;
  /** @type {Map<number, Seat>} */
  #chosen = new Map();
  #layout = layOut([]);
  /** @type {unknown} what is laid out */
  #laidOut = null;
  #view = { x: 0, y: 0, scale: 1 };
  #zone = "";
  #frame = 0;
  #canvas = document.createElement("canvas");
  /** @type {Map<number, {x: number, y: number}>} */
  #fingers = new Map();
  #moved = 0;
  /** Whether held is told from sold. */
  detailed = false;
  /** @type {(seat: Seat) => void} */
  toggle = () => {};
  /** @type {(zoneName: string) => void} */
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
    if (house.zones !== this.#laidOut) {
      this.#laidOut = house.zones;
      this.#layout = layOut(house.zones);
      this.#home();
    }
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
    this.#home();
  }

  /** Looks at the section that is shown, else at the whole house. */
  #home() {
    const block = this.#layout.blocks.find(({ name }) => name === this.#zone);
    if (block) this.#look({ ...block, y: block.y - 1, height: block.height + 1 });
    else this.#fit();
  }

  #fit() {
    this.#look(this.#layout.whole);
  }

  /** @param {Box} part */
  #look(part) {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const scale = Math.min(width / (part.width + 1), height / (part.height + 1), LARGEST) || 1;
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
    this.#home();
  }

  #draw() {
    if (!this.#frame) this.#frame = requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    this.#frame = 0;
    const context = this.#canvas.getContext("2d");
    if (!context || !this.#house) return;
    const style = getComputedStyle(this);
    const ratio = devicePixelRatio || 1;
    const { x, y, scale } = this.#view;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    context.setTransform(ratio * scale, 0, 0, ratio * scale, -x * ratio * scale, -y * ratio * scale);
    const seen = { x, y, width: this.#canvas.clientWidth / scale, height: this.#canvas.clientHeight / scale };
    /** @type {Map<string, string>} */
    const colours = new Map();
    const colour = (/** @type {string} */ name) => {
      if (!colours.has(name)) colours.set(name, style.getPropertyValue(name));
      return /** @type {string} */ (colours.get(name));
    };
    const brush = { context, colour, scale, isDetailed: this.detailed };
    for (const block of this.#layout.blocks) {
      const isSeen = block.x < x + seen.width && block.x + block.width > x && block.y - 1 < y + seen.height && block.y + block.height > y;
      if (!isSeen) continue;
      if (scale < NEAR) paintBlock(brush, block);
      else paintSeats(brush, block, this.#layout.places, this.#chosen, seen);
    }
    this.#tell();
  }

  /** What the picture is, for whoever does not see it, and when it stood. */
  #tell() {
    const house = /** @type {House} */ (this.#house);
    const [left, total] = [free([...house.seats.values()]).length, house.seats.size];
    this.#canvas.setAttribute("aria-label", `${say("seatMap")}: ${say("seatsLeft", { available: left, total })}`);
    if (total > 0 && performance.getEntriesByName("map-drawn").length === 0) performance.mark("map-drawn");
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
    const block = this.#layout.blocks.find((each) => isIn(left, each.x, each.width) && isIn(top, each.y, each.height));
    if (!block) return;
    if (view.scale < NEAR) {
      this.enter(block.name);
      return;
    }
    const seat = block.seats.find((each) => {
      const [seatX, seatY] = /** @type {[number, number]} */ (this.#layout.places.get(each));
      return isIn(left, seatX, 1) && isIn(top, seatY, 1);
    });
    if (seat) this.toggle(seat);
  }
}

customElements.define("seat-map", SeatMap);
