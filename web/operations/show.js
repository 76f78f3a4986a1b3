// One show as operators see it: every seat now or at an earlier moment, a seat's story, and what may be changed.

import { html, nothing } from "../vendor/lit-html@3.3.3/lit-html.js";
import { moment, number } from "../shared/words.js";
import { change, factsView, failed, formView, look, mayChange } from "./desk.js";

export class Show {
  /** @type {any} */
  schedule = null;
  /** @type {any[]} */
  seats = [];
  /** @type {any} */
  story = null;
  asOf = "";

  /** @param {string} scheduleId @param {() => void} changed */
  constructor(scheduleId, changed) {
    this.scheduleId = scheduleId;
    this.changed = changed;
  }

  load = async () => {
    const asOf = this.asOf ? `&asOf=${encodeURIComponent(this.asOf)}` : "";
    const [schedule, { seats }] = await Promise.all([
      look(`/api/operations/schedules/${this.scheduleId}`),
      look(`/api/operations/seats?scheduleId=${this.scheduleId}${asOf}`),
    ]);
    Object.assign(this, { schedule, seats });
    this.changed();
  };

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

  /** @param {string} asOf */
  at = async (asOf) => {
    this.asOf = asOf;
    await this.load().catch(failed);
  };

}

const SIGNS = { AVAILABLE: "○ free", HELD: "◐ held", SOLD: "● sold" };

/** @param {Show} show */
export function showView(show) {
  /** @type {Map<string, any[]>} */
  const zones = new Map();
  for (const seat of show.seats) zones.set(seat.zoneName, [...(zones.get(seat.zoneName) ?? []), seat]);
  const count = (/** @type {string} */ status) => show.seats.filter((seat) => seat.status === status).length;
  return html`
    <p><a href="#/">← The sale</a></p>
    <h1 tabindex="-1">Schedule ${show.scheduleId}</h1>
    <p>${number(count("SOLD"))} sold, ${number(count("HELD"))} held, ${number(count("AVAILABLE"))} free</p>
    ${show.schedule ? scheduleView(show) : nothing}
    <h2>Seats</h2>
    <form class="inline" @submit=${(/** @type {any} */ event) => { event.preventDefault(); show.at(event.target.asOf.value.trim()); }}>
      <label>As of (a position, or a time such as 2026-12-24T10:30:00Z) <input name="asOf" .value=${show.asOf} /></label>
      <button>Look</button>
      ${show.asOf ? html`<button type="button" @click=${() => show.at("")}>Now</button>` : nothing}
    </form>
    ${show.story ? storyView(show) : nothing}
    ${[...zones].map(
      ([zone, seats]) => html`
        <h3>${zone}</h3>
        <ul class="seats">
          ${seats.map(
            (seat) => html`<li>
              <button class="small seat-${seat.status.toLowerCase()}" @click=${() => show.why(seat.seatId)}>
                ${seat.row ?? ""} ${seat.seatName} <span>${SIGNS[/** @type {"HELD"} */ (seat.status)]}</span>
              </button>
            </li>`,
          )}
        </ul>
      `,
    )}
  `;
}

/** @param {Show} show */
function storyView(show) {
  const { story } = show;
  const { steps } = story;
  return html`
    <section class="panel" id="story" tabindex="-1" role="region" aria-label="Why">
      <h3>Why seat ${story.seatId} is ${story.status}</h3>
      <p>${story.because}</p>
      <ol>
        ${steps.map(
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
      ["Starts", moment(schedule.startsAt)],
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
