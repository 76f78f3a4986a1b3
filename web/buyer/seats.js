// Choosing seats: a list of sections, rows and seats with which all can be done, a choice by number, and the map beside them.

import { html, nothing } from "../vendor/lit-html@3.3.3/lit-html.js";
import { free, seatsOf } from "../shared/seat-layout.js";
import { number, say } from "../shared/words.js";
import { seatName } from "./choice.js";
import "../shared/seat-map.js";

/** @typedef {import("./choice.js").Choice} Choice */
/** @typedef {import("../shared/seat-layout.js").Seat} Seat */

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
          <span aria-hidden="true">
            <span class="key free"></span> ${say("legendFree")} <span class="key chosen"></span> ${say("legendChosen")}
            <span class="key taken"></span> ${say("legendTaken")} ·
          </span>
          ${say("mapHelp")}
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
