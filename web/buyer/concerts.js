// What is played, and when: the list of concerts, and one concert with its dates.

import { html, nothing } from "../vendor/lit-html@3.3.3/lit-html.js";
import { serverNow } from "../shared/api.js";
import { moment, say } from "../shared/words.js";

/** Dates that are shown before somebody asks for all. */
const FIRST_DATES = 12;

/** @param {any[]} concerts */
export const concertsView = (concerts) => html`
  <h1 tabindex="-1">${say("concerts")}</h1>
  ${concerts.length === 0 ? html`<p>${say("noConcerts")}</p>` : nothing}
  <ul class="cards">
    ${concerts.map(
      (concert) => html`
        <li class="card">
          <h2><a href="#/concerts/${concert.concertId}">${concert.concertName}</a></h2>
          <p>${concert.artist}</p>
          <p class="quiet">${concert.venue}</p>
          ${concert.startDate
            ? html`<p class="quiet">${concert.startDate} – ${concert.endDate}</p>`
            : html`<p class="quiet">${say("noDates")}</p>`}
        </li>
      `,
    )}
  </ul>
`;

/** The range of prices, cheapest to dearest. @param {any} date */
export function priceRange(date) {
  const zones = date.zones ?? [];
  if (zones.length === 0) return "";
  const from = Math.min(...zones.map((/** @type {any} */ zone) => zone.priceFrom));
  const to = Math.max(...zones.map((/** @type {any} */ zone) => zone.priceTo));
  return from === to ? say("priceOne", { from }) : say("priceRange", { from, to });
}

/** What a date says of its sale, where seats cannot be had now; empty where they can. @param {any} date */
export function saleState(date) {
  if (date.cancelledAt) return say("calledOff");
  if (Date.parse(date.saleOpensAt) > serverNow()) return say("saleOpens", { when: moment(date.saleOpensAt) });
  if (Date.parse(date.saleClosesAt) <= serverNow()) return say("saleClosed");
  if (date.seatsAvailable === 0) return say("soldOut");
  return "";
}

/** @param {any} date */
export const dateName = (date) => `${date.concertDate} ${date.concertTime.slice(0, 5)}`;

/**
 * @param {any} concert @param {any[]} dates @param {boolean} all @param {() => void} showAll
 */
export const concertView = (concert, dates, all, showAll) => html`
  <p><a href="#/">← ${say("concerts")}</a></p>
  <h1 tabindex="-1">${concert.concertName}</h1>
  <p>${concert.artist} · ${concert.venue}</p>
  <h2>${say("dates")}</h2>
  ${dates.length === 0 ? html`<p>${say("noDates")}</p>` : nothing}
  <ul class="rows">
    ${(all ? dates : dates.slice(0, FIRST_DATES)).map((date) => {
      const state = saleState(date);
      return html`
        <li>
          <a class="row" href="#/concerts/${concert.concertId}/schedules/${date.concertScheduleId}">
            <span>
              <strong>${dateName(date)}</strong> <span class="quiet">${date.timeZone}</span>
            </span>
            <span>${priceRange(date)}</span>
            <span>${state || say("seatsLeft", { available: date.seatsAvailable, total: date.seatsTotal })}</span>
          </a>
        </li>
      `;
    })}
  </ul>
  ${!all && dates.length > FIRST_DATES
    ? html`<button @click=${showAll}>${say("moreDates", { count: dates.length })}</button>`
    : nothing}
`;
