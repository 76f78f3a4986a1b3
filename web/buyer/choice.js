// Which seats somebody chooses, and where in the house they look; what is chosen becomes a hold.

import { command } from "../shared/api.js";
import { tell } from "../shared/time-left.js";
import { say } from "../shared/words.js";
import { together } from "./reservation.js";
import { credential, visit } from "./visit.js";

/** @typedef {import("./house.js").House} House */
/** @typedef {import("../shared/seat-layout.js").Seat} Seat */

/** Where the tab keeps what is chosen, so that nothing is lost by loading the page anew. */
const CHOSEN = "reprise-chosen";

export class Choice {
  /** @type {Map<number, Seat>} */
  chosen = new Map();
  /** The place in the house that the list shows: a section, and a row of it, by their index. @type {number[]} */
  place = [];
  bestZone = "";
  isBusy = false;
  #isRestored = false;

  /**
   * @param {{concertId: number, scheduleId: number, limit: number, house: House}} show
   * @param {{draw: () => void, failed: (error: unknown) => void}} page
   */
  constructor(show, page) {
    this.show = show;
    this.changed = page.draw;
    this.failed = page.failed;
  }

  /** @param {Seat} seat */
  toggle = (seat) => {
    if (this.chosen.delete(seat.seatId)) tell(say("nothingChosen", { limit: this.show.limit }));
    else if (this.chosen.size >= this.show.limit) tell(say("limitReached", { limit: this.show.limit }));
    else if (seat.status === "AVAILABLE") this.chosen.set(seat.seatId, seat);
    if (this.chosen.size > 0) tell(say("chosen", { names: this.names() }));
    this.#keep();
    this.changed();
  };

  /** The place that an address names: `/sections/1/rows/2`, from 1. @param {string} address */
  turn(address) {
    const [, zone, row] = /\/sections\/(\d+)(?:\/rows\/(\d+))?/.exec(address ?? "") ?? [];
    this.place = [zone, row].filter(Boolean).map((number) => Number(number) - 1);
  }

  /** Shows a place, which the address then names: Back leads out of it. @param {number} [zone] @param {number} [row] */
  go = (zone, row) => {
    const { concertId, scheduleId } = this.show;
    const within = [zone === undefined ? "" : `/sections/${zone + 1}`, row === undefined ? "" : `/rows/${row + 1}`];
    location.hash = `#/concerts/${concertId}/schedules/${scheduleId}${within.join("")}`;
  };

  zone() {
    return this.show.house.zones[this.place[0] ?? -1];
  }

  /** The row that is shown; a section with one row shows it at once. */
  row() {
    const zone = this.zone();
    return zone?.rows.length === 1 ? zone.rows[0] : zone?.rows[this.place[1] ?? -1];
  }

  /** @param {string} zoneName */
  enter = (zoneName) => this.go(this.show.house.zones.findIndex((zone) => zone.zoneName === zoneName));

  /** What others took meanwhile is no longer chosen. */
  settle = () => {
    if (!this.#isRestored) this.#restore();
    const gone = [...this.chosen.values()].filter((seat) => seat.status !== "AVAILABLE");
    for (const seat of gone) this.chosen.delete(seat.seatId);
    if (gone.length > 0) {
      tell(say("wasTaken", { names: gone.map(seatName).join(", ") }));
      this.#keep();
    }
    this.changed();
  };

  #keep() {
    sessionStorage.setItem(CHOSEN, JSON.stringify([this.show.scheduleId, [...this.chosen.keys()]]));
  }

  /** What was chosen before the page was loaded anew. */
  #restore() {
    this.#isRestored = true;
    const [scheduleId, seatIds] = JSON.parse(sessionStorage.getItem(CHOSEN) ?? "[0, []]");
    if (scheduleId !== this.show.scheduleId) return;
    for (const seatId of seatIds) {
      const seat = this.show.house.seats.get(seatId);
      if (seat?.status === "AVAILABLE") this.chosen.set(seatId, seat);
    }
  }

  names() {
    return [...this.chosen.values()].map(seatName).join(", ");
  }

  /** @param {object} wanted */
  async #reserve(wanted) {
    if (this.isBusy) return;
    this.isBusy = true;
    this.changed();
    const { concertId, scheduleId } = this.show;
    const body = { concertId, scheduleId, userId: visit.token?.userId, ...wanted };
    try {
      const held = await command("POST", "/api/concerts/reservation", { token: credential(), body });
      if (held.nextToEachOther !== undefined && held.seats.length > 1) together.set(held.reservationId, held.nextToEachOther);
      this.chosen.clear();
      this.#keep();
      location.assign(`#/reservations/${held.reservationId}`);
    } catch (error) {
      this.failed(error);
      this.settle();
    }
    this.isBusy = false;
    this.changed();
  }

  hold = () => this.#reserve({ seatIds: [...this.chosen.keys()] });
  /** @param {number} quantity */
  best = (quantity) => this.#reserve({ quantity, ...(this.bestZone ? { zoneName: this.bestZone } : {}) });
}

/** @param {Seat} seat */
export const seatName = (seat) => (seat.row ? `${say("row", { row: seat.row })} ${seat.seatName}` : seat.seatName);
