// A house as it is now: the layout, which never changes, and which seats can be had, which a stream keeps true.

import { get, getAt, Problem, stream } from "../shared/api.js";
import { credential } from "./visit.js";

/** @typedef {import("../shared/seat-layout.js").Seat} Seat */
/** @typedef {import("../shared/seat-layout.js").Row} Row */
/** @typedef {import("../shared/seat-layout.js").Zone} Zone */

export class House {
  /** @type {Zone[]} */
  zones = [];
  /** @type {Map<number, Seat>} */
  seats = new Map();
  #path;

  /** @param {number} concertId @param {number} scheduleId */
  constructor(concertId, scheduleId) {
    this.#path = `/api/concerts/${concertId}/schedules/${scheduleId}`;
  }

  /** Follows the house until `signal` ends it; `changed` hears of every change. @param {AbortSignal} signal @param {() => void} changed */
  async follow(signal, changed) {
    while (!signal.aborted) {
      const position = await this.#load(signal);
      changed();
      const options = { token: credential(), signal, after: position };
      for await (const { event, data } of stream(`${this.#path}/seats/stream`, options)) {
        // What was missed cannot be told in steps any more: the list is read anew.
        if (event === "reset") break;
        for (const { seatId, status } of data.seats) {
          const seat = this.seats.get(seatId);
          if (seat) seat.status = status;
        }
        if (data.seats.length > 0) changed();
      }
    }
  }

  /** @param {AbortSignal} signal */
  async #load(signal) {
    const [map, { answer: list, position }] = await Promise.all([
      this.seats.size > 0 ? null : get(`${this.#path}/map`, { signal }),
      getAt(`${this.#path}/seats?status=all`, { token: credential(), signal }),
    ]);
    if (map) this.#layOut(map);
    for (const { seatId, price, status } of list) {
      const seat = this.seats.get(seatId);
      if (seat) Object.assign(seat, { price, status });
    }
    return position;
  }

  /** @param {any} map */
  #layOut(map) {
    this.zones = map.zones.map((/** @type {any} */ zone) => {
      const { zoneName } = zone;
      const seat = (/** @type {any} */ found, /** @type {string | null} */ row) => {
        const seat = { number: null, x: null, y: null, ...found, zoneName, row, price: 0, status: "SOLD" };
        this.seats.set(seat.seatId, seat);
        return seat;
      };
      const rows = zone.rows.map((/** @type {any} */ { row, seats }) => ({
        row,
        seats: seats.map((/** @type {any} */ found) => seat(found, row)),
      }));
      if (zone.seats?.length > 0) {
        rows.push({ row: null, seats: zone.seats.map((/** @type {any} */ found) => seat(found, null)) });
      }
      return { zoneName, rows };
    });
  }
}

/** Whether this problem means that the token has no turn. @param {unknown} error */
export const isTurnOver = (error) =>
  error instanceof Problem && (error.status === 401 || error.code === "not-admitted");
