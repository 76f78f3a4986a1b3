// One show as operators see it: every seat now or at an earlier moment, on the map and in a list; a seat's story; and what may be
// changed.

import { html, nothing } from "../vendor/lit-html@3.3.3/lit-html.js";
import { getAt } from "../shared/api.js";
import { seatsOf } from "../shared/seat-layout.js";
import { moment, number } from "../shared/words.js";
import { change, credential, factsView, failed, formView, look, mayChange } from "./desk.js";
import "../shared/seat-map.js";

/** @typedef {import("../shared/seat-layout.js").Seat} Seat */
/** @typedef {import("../shared/seat-layout.js").Zone} Zone */

/** Seats that are listed all at once; of a larger house one section is. */
const LISTED = 200;
/** A large house takes time to be told: so many times that long it is not asked again. */
const REST = 20;

export class Show {
  /** @type {any} */
  schedule = null;
  /** @type {{zones: Zone[], seats: Map<number, Seat>}} */
  house = { zones: [], seats: new Map() };
  /** @type {any} */
  story = null;
  /** The earlier moment that is shown, as it was asked for, and as the log has it. @type {{asked: string, position: number, recordedAt: string} | null} */
  asOf = null;
  isLooking = false;
  zoneName = "";
  #restsUntil = 0;

  /** @param {string} scheduleId @param {() => void} changed */
  constructor(scheduleId, changed) {
    this.scheduleId = scheduleId;
    this.changed = changed;
  }

  load = async () => {
    const from = performance.now();
    const schedule = look(`/api/operations/schedules/${this.scheduleId}`);
    if (!this.asOf && from > this.#restsUntil) {
      this.#fill(await look(this.#seats("")));
      this.#restsUntil = performance.now() + REST * (performance.now() - from);
    }
    this.schedule = await schedule;
    this.changed();
  };

  #seats(/** @type {string} */ asOf) {
    return `/api/operations/seats?scheduleId=${this.scheduleId}${asOf ? `&asOf=${encodeURIComponent(asOf)}` : ""}`;
  }

  /** The places stay where they are; only what can be had changes. @param {any} answer */
  #fill({ seats }) {
    const { house } = this;
    if (house.seats.size !== seats.length) this.house = housed(seats);
    else for (const { seatId, status, price } of seats) Object.assign(/** @type {Seat} */ (house.seats.get(seatId)), { status, price });
  }

  /** @param {number} seatId */
  why = async (seatId) => {
    try {
      this.story = await look(`/api/operations/why?scheduleId=${this.scheduleId}&seatId=${seatId}`);
      this.changed();
      document.getElementById("story")?.focus();
    } catch (error) {
      failed(error);
    }
  };

  /** Shows an earlier moment, or, for "", now. It may wait for its turn: two are looked up at once. @param {string} asked */
  at = async (asked) => {
    // A seat's story is told as of now.
    Object.assign(this, { isLooking: true, story: null });
    this.changed();
    try {
      const { answer } = await getAt(this.#seats(asked), { token: credential() });
      this.#fill(answer);
      this.asOf = asked ? { asked, position: answer.position, recordedAt: answer.recordedAt } : null;
    } catch (error) {
      const isBusy = /** @type {any} */ (error)?.code === "overloaded";
      failed(isBusy ? new Error("Two earlier moments are being looked up already. Try again in a moment.") : error);
    }
    this.isLooking = false;
    this.changed();
  };

  enter = (/** @type {string} */ zoneName) => {
    this.zoneName = zoneName;
    this.changed();
  };
}

/** A house of a plain list of seats. @param {any[]} list */
function housed(list) {
  /** @type {Map<string, Map<string | null, Seat[]>>} */
  const zones = new Map();
  const seats = new Map();
  for (const each of list) {
    const seat = { row: null, number: null, x: null, y: null, ...each };
    seats.set(seat.seatId, seat);
    const rows = zones.get(seat.zoneName) ?? new Map();
    rows.set(seat.row, [...(rows.get(seat.row) ?? []), seat]);
    zones.set(seat.zoneName, rows);
  }
  return { seats, zones: [...zones].map(([zoneName, rows]) => ({ zoneName, rows: [...rows].map(([row, seats]) => ({ row, seats })) })) };
}

const SIGNS = { AVAILABLE: "○ free", HELD: "◐ held", SOLD: "● sold" };

/** How many of these are sold, held and free. @param {Iterable<Seat>} seats */
function counts(seats) {
  const count = { SOLD: 0, HELD: 0, AVAILABLE: 0 };
  for (const { status } of seats) count[status] += 1;
  return `${number(count.SOLD)} sold, ${number(count.HELD)} held, ${number(count.AVAILABLE)} free`;
}

/** @param {Show} show */
export const showView = (show) => html`
  <p><a href="#/">← The sale</a></p>
  <h1 tabindex="-1">Schedule ${show.scheduleId}</h1>
  ${show.schedule ? scheduleView(show) : nothing}
  <h2>Seats</h2>
  ${asOfView(show)}
  <p>${counts(show.house.seats.values())}</p>
  ${show.story ? storyView(show) : nothing}
  <div class="choosing">
    <div class="list">${listView(show)}</div>
    <div class="map">
      <h3>Map</h3>
      <seat-map .detailed=${true} .house=${show.house} .zone=${show.zoneName} .enter=${show.enter} .toggle=${(/** @type {Seat} */ seat) => show.why(seat.seatId)}></seat-map>
      <p class="quiet">A square is free, a square with a line held, a cross sold. A seat tells why.</p>
    </div>
  </div>
`;

/** @param {Show} show */
const asOfView = (show) => html`
  <form class="inline" @submit=${(/** @type {any} */ event) => { event.preventDefault(); show.at(event.target.asOf.value.trim()); }}>
    <label>As of (a position, or a time such as 2026-12-24T10:30:00Z) <input name="asOf" autocomplete="off" /></label>
    <button aria-busy=${show.isLooking}>Look</button>
    ${show.asOf ? html`<button type="button" @click=${() => show.at("")}>Now</button>` : nothing}
  </form>
  ${show.asOf
    ? html`<p class="notice" role="status">This is the house as of ${show.asOf.asked}: position ${show.asOf.position}, ${moment(show.asOf.recordedAt)}.</p>`
    : nothing}
`;

/** All seats of a small house; of a large one the sections, and the seats of one. @param {Show} show */
function listView(show) {
  const { house, zoneName } = show;
  const isSmall = house.seats.size <= LISTED;
  const zone = house.zones.find((each) => each.zoneName === zoneName);
  if (isSmall) return house.zones.map((each) => zoneView(show, each));
  if (zone) return html`<p><button @click=${() => show.enter("")}>← All sections</button></p>${zoneView(show, zone)}`;
  return html`<ul class="rows">
    ${house.zones.map(
      (each) => html`<li>
        <button class="row" @click=${() => show.enter(each.zoneName)}><strong>${each.zoneName}</strong> <span>${counts(seatsOf(each))}</span></button>
      </li>`,
    )}
  </ul>`;
}

/** @param {Show} show @param {Zone} zone */
const zoneView = (show, zone) => html`
  <h3 tabindex="-1" data-next>${zone.zoneName}</h3>
  <ul class="seats">
    ${seatsOf(zone).map(
      (seat) => html`<li>
        <button class="small" @click=${() => show.why(seat.seatId)}>
          ${seat.row ?? ""} ${seat.seatName} <span>${SIGNS[seat.status]}</span>
        </button>
      </li>`,
    )}
  </ul>
`;

/** @param {Show} show */
function storyView({ story }) {
  return html`
    <section class="panel" id="story" tabindex="-1" role="region" aria-label="Why">
      <h3>Why seat ${story.seatId} is ${story.status}</h3>
      <p>${story.because}</p>
      <ol>
        ${story.steps.map(
          (/** @type {any} */ step) => html`<li>
            ${step.at}: ${step.what}
            <span class="quiet hash">position ${step.position}, ${step.hash}</span>
            ${step.userId ? html`<a href="#/users/${step.userId}">user ${step.userId}</a>` : nothing}
          </li>`,
        )}
      </ol>
    </section>
  `;
}

/** @param {Show} show */
function scheduleView(show) {
  const { schedule } = show;
  const { cancelled } = schedule;
  return html`
    ${factsView([
      ["Concert", String(schedule.concertId)],
      ["Starts", html`${schedule.concertDate} ${schedule.concertTime}, ${schedule.timeZone}`],
      ["Sale", html`${moment(schedule.saleOpensAt)} to ${moment(schedule.saleClosesAt)}`],
    ])}
    ${cancelled
      ? html`<section class="notice">
          <h2>Called off</h2>
          <p>
            ${moment(cancelled.at)}: ${cancelled.reason}. Left to do: ${number(cancelled.holdsLeft)} holds,
            ${number(cancelled.paymentsLeft)} payments. Refunded: ${number(cancelled.refunded)}.
          </p>
        </section>`
      : nothing}
    ${mayChange() && !cancelled ? changesView(show) : nothing}
  `;
}

/** @param {Show} show */
function changesView(show) {
  const path = `/api/operations/schedules/${show.scheduleId}`;
  const zones = (show.schedule.zones ?? []).map((/** @type {any} */ zone) => zone.zoneName);
  const then = async (/** @type {Promise<any>} */ changed) => {
    await changed;
    await show.load().catch(failed);
  };
  const time = (/** @type {string} */ name, /** @type {string} */ label) => ({ name, label, type: "datetime-local", optional: true, hint: "Empty: it stays." });
  return html`<section class="panel">
    ${formView({
      title: "Move the sale's window or the show",
      action: "Move",
      fields: [time("saleOpensAt", "The sale opens at"), time("saleClosesAt", "The sale closes at"), time("startsAt", "The show starts at")],
      submit: (body) => then(change("PATCH", path, body, "The schedule is moved.")),
    })}
    ${formView({
      title: "Change a price",
      action: "Change",
      fields: [
        { name: "zoneName", label: "Section", value: zones[0], hint: zones.join(", ") },
        { name: "price", label: "Price, points", type: "number" },
      ],
      submit: (body) => then(change("PATCH", `${path}/prices`, body, "The price is changed. Holds and tickets keep theirs.")),
    })}
    ${formView({
      title: "Call the show off",
      action: "Call off",
      danger: true,
      submit: (body) => then(change("POST", `${path}/cancel`, body, "The show is called off. Everybody is refunded.")),
    })}
  </section>`;
}
