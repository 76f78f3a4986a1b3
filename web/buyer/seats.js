// Choosing seats: a list of sections, rows and seats with which all can be done, a choice by number, and the map beside them.

import { html, nothing } from "../vendor/lit-html@3.3.3/lit-html.js";
import { command } from "../shared/api.js";
import { free, seatsOf } from "../shared/seat-layout.js";
import { tell } from "../shared/time-left.js";
import { number, say } from "../shared/words.js";
import { credential, visit } from "./visit.js";
import "../shared/seat-map.js";

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
      const { reservationId } = await command("POST", "/api/concerts/reservation", { token: credential(), body });
      this.chosen.clear();
      this.#keep();
      location.assign(`#/reservations/${reservationId}`);
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
const seatName = (seat) => (seat.row ? `${say("row", { row: seat.row })} ${seat.seatName}` : seat.seatName);

/** @param {Choice} choice */
export function choiceView(choice) {
  const { house } = choice.show;
  return html`
    <div class="choosing">
      <div class="list">
        ${bestView(choice)} ${listView(choice)}
      </div>
      <div class="map">
        <h3>${say("seatMap")}</h3>
        <seat-map
          .house=${house}
          .chosen=${choice.chosen}
          .zone=${choice.zone()?.zoneName ?? ""}
          .toggle=${choice.toggle}
          .enter=${choice.enter}
        ></seat-map>
        <p class="quiet">
          <span class="key free" aria-hidden="true"></span> ${say("legendFree")}
          <span class="key chosen" aria-hidden="true"></span> ${say("legendChosen")}
          <span class="key taken" aria-hidden="true"></span> ${say("legendTaken")} · ${say("mapHelp")}
        </p>
      </div>
    </div>
    ${basketView(choice)}
  `;
}

/** @param {Choice} choice */
function bestView(choice) {
  const { house, limit } = choice.show;
  const counts = Array.from({ length: limit }, (_, index) => index + 1);
  return html`
    <h3>${say("bestTitle")}</h3>
    <form class="inline" @submit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <span class="buttons">
        ${counts.map(
          (count) => html`
            <button
              type="button"
              aria-busy=${choice.isBusy}
              @click=${() => choice.best(count)}
            >
              ${say("best", { count })}
            </button>
          `,
        )}
      </span>
      <label>
        ${say("bestIn")}
        <select @change=${(/** @type {any} */ event) => (choice.bestZone = event.target.value)}>
          <option value="">${say("anywhere")}</option>
          ${house.zones.map(
            ({ zoneName }) => html`<option value=${zoneName} ?selected=${choice.bestZone === zoneName}>${zoneName}</option>`,
          )}
        </select>
      </label>
    </form>
  `;
}

/** @param {Seat[]} seats */
function priceOf(seats) {
  const prices = seats.map((seat) => seat.price);
  const [from, to] = [Math.min(...prices), Math.max(...prices)];
  return from === to ? say("priceOne", { from }) : say("priceRange", { from, to });
}

/** @param {Choice} choice */
function listView(choice) {
  const zone = choice.zone();
  if (!zone) return zonesView(choice);
  const row = choice.row();
  return html`
    <h3 tabindex="-1" data-next>${zone.zoneName}${row?.row ? html` · ${say("row", { row: row.row })}` : nothing}</h3>
    <p class="quiet">${priceOf(row?.seats ?? seatsOf(zone))}</p>
    <p class="buttons">
      <button @click=${() => choice.go()}>← ${say("allSections")}</button>
      ${row && zone.rows.length > 1 ? html`<button @click=${() => choice.go(choice.place[0])}>← ${say("allRows")}</button>` : nothing}
    </p>
    ${row ? seatsView(choice, row.seats) : rowsView(choice, zone)}
  `;
}

/** @param {Choice} choice */
const zonesView = (choice) => html`
  <h3 tabindex="-1" data-next>${say("sections")}</h3>
  <ul class="rows">
    ${choice.show.house.zones.map((zone, index) => {
      const left = free(seatsOf(zone));
      const state = left.length > 0 ? say("sectionFree", { free: left.length, price: priceOf(left) }) : say("soldOut");
      return html`
        <li>
          <button class="row" ?disabled=${left.length === 0} @click=${() => choice.go(index)}>
            <strong>${zone.zoneName}</strong> <span>${state}</span>
          </button>
        </li>
      `;
    })}
  </ul>
`;

/** @param {Choice} choice @param {import("../shared/seat-layout.js").Zone} zone */
const rowsView = (choice, zone) => html`
  <ul class="rows">
    ${zone.rows.map(({ row, seats }, index) => {
      const left = free(seats).length;
      return html`
        <li>
          <button class="row" ?disabled=${left === 0} @click=${() => choice.go(choice.place[0], index)}>
            <strong>${say("row", { row: row ?? "–" })}</strong>
            <span>${left > 0 ? say("rowFree", { free: left }) : say("soldOut")}</span>
          </button>
        </li>
      `;
    })}
  </ul>
`;

/**
 * Every seat keeps its place in the list, so that one that is taken moves nobody's focus to another. A price stands beside
 * each seat only where they differ.
 * @param {Choice} choice @param {Seat[]} seats
 */
function seatsView(choice, seats) {
  const isShown = (/** @type {Seat} */ seat) => seat.status === "AVAILABLE" || choice.chosen.has(seat.seatId);
  if (!seats.some(isShown)) return html`<p>${say("noneFree")}</p>`;
  const isOnePrice = seats.every((seat) => seat.price === seats[0].price);
  return html`
    <ul class="seats">
      ${seats.map(
        (seat) => html`
          <li ?hidden=${!isShown(seat)}>
            <button aria-pressed=${choice.chosen.has(seat.seatId) ? "true" : "false"} @click=${() => choice.toggle(seat)}>
              ${say("seat", { name: seat.seatName })} ${isOnePrice ? nothing : html`<span class="quiet">${number(seat.price)}</span>`}
            </button>
          </li>
        `,
      )}
    </ul>
  `;
}

/** What is chosen, and the way on. @param {Choice} choice */
function basketView(choice) {
  const seats = [...choice.chosen.values()];
  const price = seats.reduce((sum, seat) => sum + seat.price, 0);
  return html`
    <section class="basket ${seats.length > 0 ? "full" : ""}">
      ${seats.length === 0
        ? html`<p>${say("nothingChosen", { limit: choice.show.limit })}</p>`
        : html`
            <ul class="chips">
              ${seats.map(
                (seat) => html`
                  <li>
                    ${seat.zoneName} ${seatName(seat)}
                    <button class="small" aria-label=${say("remove", { name: seatName(seat) })} @click=${() => choice.toggle(seat)}>
                      ×
                    </button>
                  </li>
                `,
              )}
            </ul>
            <button class="primary" aria-busy=${choice.isBusy} @click=${choice.hold}>${say("holdFor", { price })}</button>
          `}
    </section>
  `;
}
