// Choosing seats: a list of sections, rows and seats with which all can be done, a choice by number, and the map beside them.

import { html, nothing } from "../vendor/lit-html@3.3.3/lit-html.js";
import { command } from "../shared/api.js";
import { tell } from "../shared/time-left.js";
import { number, say } from "../shared/words.js";
import { free, seatsOf } from "./house.js";
import { credential } from "./visit.js";
import "./seat-map.js";

/** @typedef {import("./house.js").House} House */
/** @typedef {import("./house.js").Seat} Seat */

export class Choice {
  /** @type {Map<number, Seat>} */
  chosen = new Map();
  /** @type {string | null} */
  zoneName = null;
  /** @type {number | null} index of the row in its zone */
  row = null;
  bestZone = "";

  /**
   * @param {{concertId: number, scheduleId: number, limit: number, house: House}} show
   * @param {() => void} changed @param {(reservation: any) => void} held @param {(error: unknown) => void} failed
   */
  constructor(show, changed, held, failed) {
    this.show = show;
    this.changed = changed;
    this.held = held;
    this.failed = failed;
  }

  /** @param {Seat} seat */
  toggle = (seat) => {
    if (this.chosen.delete(seat.seatId)) tell(say("nothingChosen", { limit: this.show.limit }));
    else if (this.chosen.size >= this.show.limit) tell(say("limitReached", { limit: this.show.limit }));
    else if (seat.status === "AVAILABLE") this.chosen.set(seat.seatId, seat);
    if (this.chosen.size > 0) tell(say("chosen", { names: this.names() }));
    this.changed();
  };

  /** @param {string | null} zoneName */
  enter = (zoneName) => {
    this.zoneName = zoneName;
    const rows = this.show.house.zones.find((zone) => zone.zoneName === zoneName)?.rows ?? [];
    this.row = rows.length === 1 ? 0 : null;
    this.changed();
  };

  /** What others took meanwhile is no longer chosen. */
  settle() {
    const gone = [...this.chosen.values()].filter((seat) => seat.status !== "AVAILABLE");
    for (const seat of gone) this.chosen.delete(seat.seatId);
    if (gone.length > 0) tell(say("wasTaken", { names: gone.map(seatName).join(", ") }));
  }

  names() {
    return [...this.chosen.values()].map(seatName).join(", ");
  }

  /** @param {object} wanted */
  async #reserve(wanted) {
    const { concertId, scheduleId } = this.show;
    const body = { concertId, scheduleId, userId: this.userId, ...wanted };
    try {
      this.held(await command("POST", "/api/concerts/reservation", { token: credential(), body }));
    } catch (error) {
      this.failed(error);
    }
  }

  userId = 0;
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
          .zone=${choice.zoneName}
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
    <form class="inline" @submit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <span class="buttons">
        ${counts.map(
          (count) => html`
            <button
              type="button"
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
  const zone = choice.show.house.zones.find(({ zoneName }) => zoneName === choice.zoneName);
  if (!zone) return zonesView(choice);
  const row = choice.row === null ? undefined : zone.rows[choice.row];
  return html`
    <h3>${zone.zoneName}${row?.row ? html` · ${say("row", { row: row.row })}` : nothing}</h3>
    <p class="buttons">
      <button @click=${() => choice.enter(null)}>← ${say("allSections")}</button>
      ${row && zone.rows.length > 1
        ? html`<button
            @click=${() => {
              choice.row = null;
              choice.changed();
            }}
          >
            ← ${say("allRows")}
          </button>`
        : nothing}
    </p>
    ${row ? seatsView(choice, row.seats) : rowsView(choice, zone)}
  `;
}

/** @param {Choice} choice */
const zonesView = (choice) => html`
  <h3>${say("sections")}</h3>
  <ul class="rows">
    ${choice.show.house.zones.map((zone) => {
      const left = free(seatsOf(zone));
      const state = left.length > 0 ? say("sectionFree", { free: left.length, price: priceOf(left) }) : say("soldOut");
      return html`
        <li>
          <button class="row" ?disabled=${left.length === 0} @click=${() => choice.enter(zone.zoneName)}>
            <strong>${zone.zoneName}</strong> <span>${state}</span>
          </button>
        </li>
      `;
    })}
  </ul>
`;

/** @param {Choice} choice @param {import("./house.js").Zone} zone */
const rowsView = (choice, zone) => html`
  <ul class="rows">
    ${zone.rows.map(({ row, seats }, index) => {
      const left = free(seats).length;
      return html`
        <li>
          <button
            class="row"
            ?disabled=${left === 0}
            @click=${() => {
              choice.row = index;
              choice.changed();
            }}
          >
            <strong>${say("row", { row: row ?? "–" })}</strong>
            <span>${left > 0 ? say("rowFree", { free: left }) : say("soldOut")}</span>
          </button>
        </li>
      `;
    })}
  </ul>
`;

/**
 * Every seat keeps its place in the list, so that one that is taken moves nobody's focus to another.
 * @param {Choice} choice @param {Seat[]} seats
 */
function seatsView(choice, seats) {
  const isShown = (/** @type {Seat} */ seat) => seat.status === "AVAILABLE" || choice.chosen.has(seat.seatId);
  if (!seats.some(isShown)) return html`<p>${say("noneFree")}</p>`;
  return html`
    <ul class="seats">
      ${seats.map(
        (seat) => html`
          <li ?hidden=${!isShown(seat)}>
            <button
              aria-pressed=${choice.chosen.has(seat.seatId) ? "true" : "false"}
              @click=${() => choice.toggle(seat)}
            >
              ${say("seat", { name: seat.seatName })} <span class="quiet">${number(seat.price)}</span>
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
    <section class="basket">
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
            <button class="primary" @click=${choice.hold}>${say("holdFor", { price })}</button>
          `}
    </section>
  `;
}
