// What is one's own: holds and tickets, and every movement of points with the record that proves it.

import { html, nothing } from "../vendor/lit-html@3.3.3/lit-html.js";
import { get } from "../shared/api.js";
import { canProve, recordHash } from "../shared/proof.js";
import { tell } from "../shared/time-left.js";
import { moment, number, say } from "../shared/words.js";
import { credential, visit } from "./visit.js";

/** How many are asked for at first, and at most. */
const [FIRST, MOST] = [50, 200];

/** Holds of one's own on a show, newest first; none where nobody has joined. @param {number} scheduleId */
export async function heldHere(scheduleId) {
  if (!visit.token) return [];
  const newest = await get(`/api/users/${visit.token.userId}/reservations?limit=10`, { token: credential() }).catch(() => []);
  return newest.filter((/** @type {any} */ each) => each.scheduleId === scheduleId && each.reservationStatus === "HELD");
}

export class Mine {
  /** @type {any[]} */
  reservations = [];
  /** @type {any[]} */
  movements = [];
  balance = 0;
  limit = FIRST;
  /** @type {Map<number, string>} */
  checked = new Map();

  /** @param {() => void} changed @param {(error: unknown) => void} failed */
  constructor(changed, failed) {
    this.changed = changed;
    this.failed = failed;
  }

  #path() {
    return `/api/users/${visit.token?.userId}`;
  }

  loadReservations = async () => {
    this.reservations = await get(`${this.#path()}/reservations?limit=${this.limit}`, { token: credential() });
    this.changed();
  };

  loadPoints = async () => {
    const token = credential();
    const [{ balance }, movements] = await Promise.all([
      get(`${this.#path()}/points/balance`, { token }),
      get(`${this.#path()}/points/history?limit=${this.limit}`, { token }),
    ]);
    Object.assign(this, { balance, movements });
    this.changed();
  };

  /** Shows as many as the server tells at once. @param {() => Promise<void>} load */
  more = (load) => {
    this.limit = MOST;
    return load().catch(this.failed);
  };

  /** Computes the record's hash here, and holds it against the history's. @param {any} movement */
  check = async (movement) => {
    try {
      const record = await get(`${this.#path()}/records/${movement.position}`, { token: credential() });
      const isRight = (await recordHash(record)) === movement.hash && record.hash === movement.hash;
      const words = say(isRight ? "recordRight" : "recordWrong");
      this.checked.set(movement.position, words);
      tell(words);
      this.changed();
    } catch (error) {
      this.failed(error);
    }
  };
}

/** The way to the rest of a list. @param {Mine} mine @param {any[]} list @param {() => Promise<void>} load */
const moreView = (mine, list, load) =>
  list.length === mine.limit && mine.limit < MOST
    ? html`<button @click=${() => mine.more(load)}>${say("more")}</button>`
    : nothing;

/** @param {Mine} mine */
export const ticketsView = (mine) => html`
  <h1 tabindex="-1">${say("myTickets")}</h1>
  ${mine.reservations.length === 0 ? html`<p>${say("noTickets")}</p>` : nothing}
  <ul class="rows">
    ${mine.reservations.map(
      (reservation) => html`
        <li>
          <a class="row" href="#/reservations/${reservation.reservationId}">
            <strong>${say(reservation.reservationStatus === "PAID" ? "ticketNumber" : "reservationNumber", { id: reservation.reservationId })}</strong>
            <span>${reservation.seats.map((/** @type {any} */ seat) => `${seat.zoneName} ${seat.seatName}`).join(", ")}</span>
            <span>${say(reservation.reservationStatus)}</span>
          </a>
        </li>
      `,
    )}
  </ul>
  ${moreView(mine, mine.reservations, mine.loadReservations)}
`;

/** @param {Mine} mine */
export const pointsView = (mine) => html`
  <h1 tabindex="-1">${say("points")}</h1>
  <p class="big">${say("yourPoints", { balance: mine.balance })}</p>
  <h2>${say("history")}</h2>
  ${mine.movements.length === 0 ? html`<p>${say("noHistory")}</p>` : nothing}
  <ul class="rows">
    ${mine.movements.map(
      (movement) => html`
        <li class="card">
          <p>
            <strong>${say(movement.kind)}</strong> ${movement.amount > 0 ? "+" : ""}${number(movement.amount)} ·
            ${say("balanceAfter", { balance: movement.balanceAfter })}
          </p>
          <p class="quiet">${moment(movement.at)}${movement.reason ? ` · ${movement.reason}` : ""}</p>
          <p class="quiet hash">${say("record", { position: movement.position })} · ${movement.hash}</p>
          ${canProve
            ? html`<button aria-label=${say("checkRecord", { position: movement.position })} @click=${() => mine.check(movement)}>${say("checkIt")}</button>`
            : html`<p class="quiet">${say("cannotProve")}</p>`}
          ${mine.checked.has(movement.position) ? html`<p role="status">${mine.checked.get(movement.position)}</p>` : nothing}
        </li>
      `,
    )}
  </ul>
  ${moreView(mine, mine.movements, mine.loadPoints)}
`;
