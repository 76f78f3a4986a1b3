// One show as operators see it: every seat now or at an earlier moment, and a seat's story.

import { html, nothing } from "../vendor/lit-html@3.3.3/lit-html.js";
import { number } from "../shared/words.js";
import { failed, look } from "./desk.js";

export class Show {
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
    const { seats } = await look(`/api/operations/seats?scheduleId=${this.scheduleId}${asOf}`);
    this.seats = seats;
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
