// A hold with its countdown, paying it, and the ticket that comes of it.

import { html, nothing } from "../vendor/lit-html@3.3.3/lit-html.js";
import { command, get } from "../shared/api.js";
import { settings } from "../shared/settings.js";
import { tell } from "../shared/time-left.js";
import { moment, say } from "../shared/words.js";
import { credential, resume, visit } from "./visit.js";

/** The largest charge. */
const MAX_CHARGE = 10_000_000;

/** Whether the seats of a hold are next to each other, as the answer that held them said. @type {Map<number, boolean>} */
export const together = new Map();

export class Purchase {
  /** @type {any} */
  reservation = null;
  balance = 0;
  isBusy = false;
  asksToCancel = false;

  /** @param {number} reservationId @param {() => void} changed @param {(error: unknown) => void} failed */
  constructor(reservationId, changed, failed) {
    this.reservationId = reservationId;
    this.changed = changed;
    this.failed = failed;
  }

  load = async () => {
    const token = credential();
    this.reservation = await get(`/api/reservations/${this.reservationId}`, { token });
    const { balance } = await get(`/api/users/${this.reservation.userId}/points/balance`, { token });
    this.balance = balance;
    this.changed();
  };

  /** Does one thing, shows what came of it, and says what did not work. @param {() => Promise<any>} act */
  async #once(act) {
    if (this.isBusy) return;
    this.isBusy = true;
    this.changed();
    try {
      await act();
    } catch (error) {
      this.failed(error);
    }
    await this.load().catch(this.failed);
    this.isBusy = false;
    this.changed();
  }

  charge = () =>
    this.#once(() => {
      const amount = Math.min(this.missing(), MAX_CHARGE);
      const path = `/api/users/${this.reservation.userId}/points/charge`;
      return command("POST", path, { token: credential(), body: { amount } });
    });

  /** Paying ends the turn as well. */
  pay = () =>
    this.#once(async () => {
      const { reservationId, userId, totalPrice } = this.reservation;
      const body = { reservationId, userId, paymentAmount: totalPrice };
      await command("POST", "/api/payments", { token: credential(), body });
      tell(say("ticketPaid"));
      await resume().catch(() => {});
    });

  extend = () =>
    this.#once(() => command("POST", `/api/reservations/${this.reservationId}/extension`, { token: credential() }));

  /** A hold is given up as a hold: if another tab has paid it meanwhile, the ticket stays. */
  cancel = () =>
    this.#once(async () => {
      const only = this.reservation.reservationStatus === "HELD" ? "?only=hold" : "";
      this.asksToCancel = false;
      await command("DELETE", `/api/reservations/${this.reservationId}${only}`, { token: credential() });
    });

  missing() {
    return Math.max(0, this.reservation.totalPrice - this.balance);
  }

  /** @param {boolean} asks */
  ask = (asks) => {
    this.asksToCancel = asks;
    this.changed();
  };
}

/** @param {Purchase} purchase @param {string} showName */
export function purchaseView(purchase, showName) {
  const { reservation } = purchase;
  if (!reservation) return html`<h1 tabindex="-1">${say("heldTitle")}</h1>`;
  const status = reservation.reservationStatus;
  return html`
    <p><a href="#/mine">← ${say("myTickets")}</a></p>
    <h1 tabindex="-1">${say(status === "PAID" ? "ticket" : status === "HELD" ? "heldTitle" : "reservationNumber", { id: reservation.reservationId })}</h1>
    ${status === "HELD" ? holdView(purchase) : nothing} ${status === "PAID" ? paidView(purchase) : nothing}
    ${status === "CANCELLED" ? endedView(reservation, say("wasCancelled")) : nothing}
    ${status === "EXPIRED" ? endedView(reservation, say("wasExpired")) : nothing}
    ${status === "REFUNDED" ? endedView(reservation, say("wasRefunded", { price: reservation.totalPrice })) : nothing}
    ${seatsView(reservation, showName)}
  `;
}

/** @param {any} reservation @param {string} showName */
const seatsView = (reservation, showName) => html`
  <section class="panel ticket">
    <h2>${say(reservation.reservationStatus === "PAID" ? "ticketNumber" : "reservationNumber", { id: reservation.reservationId })}</h2>
    <p>${showName}</p>
    <ul>
      ${reservation.seats.map(
        (/** @type {any} */ seat) => html`<li>${seat.zoneName} · <strong>${seat.seatName}</strong> · ${say("priceOne", { from: seat.price })}</li>`,
      )}
    </ul>
    <p><strong>${say("total", { price: reservation.totalPrice })}</strong></p>
    <p class="quiet">${say("status")}: ${say(reservation.reservationStatus)} · ${moment(reservation.reservationTime)}</p>
  </section>
`;

/** @param {Purchase} purchase */
function holdView(purchase) {
  const { reservation, isBusy } = purchase;
  const standing = reservation.expiresAt === null || visit.queue?.state === "PAUSED";
  const missing = purchase.missing();
  return html`
    <section class="panel">
      <p>${say("held")}</p>
      <p class="big">
        <time-left
          speaks
          .seconds=${reservation.expiresInSeconds}
          .standing=${standing}
          @over=${() => purchase.load().catch(purchase.failed)}
        ></time-left>
      </p>
      ${standing ? html`<p>${say("timeStands")}</p>` : nothing}
      ${togetherView(reservation.reservationId)}
      <p>${say("yourPoints", { balance: purchase.balance })}</p>
      ${missing > 0 ? chargeView(purchase, missing) : nothing}
      <p class="buttons">
        ${missing > 0
          ? html`<button class="primary" disabled>${say("pay", { price: reservation.totalPrice })}</button>`
          : html`<button class="primary" data-next aria-busy=${isBusy} @click=${purchase.pay}>
              ${say("pay", { price: reservation.totalPrice })}
            </button>`}
        ${reservation.extendable
          ? html`<button aria-busy=${isBusy} @click=${purchase.extend}>${say("extend")}</button>`
          : nothing}
        <button aria-busy=${isBusy} @click=${purchase.cancel}>${say("cancelHold")}</button>
      </p>
    </section>
  `;
}

/** @param {number} reservationId */
const togetherView = (reservationId) =>
  together.has(reservationId) ? html`<p>${say(together.get(reservationId) ? "nextToEachOther" : "notNextToEachOther")}</p>` : nothing;

/** @param {Purchase} purchase @param {number} missing */
const chargeView = (purchase, missing) =>
  settings.charge === "own"
    ? html`
        <p>${say("missing", { missing })}</p>
        <p>
          <button class="primary" data-next aria-busy=${purchase.isBusy} @click=${purchase.charge}>
            ${say("charge", { amount: Math.min(missing, MAX_CHARGE) })}
          </button>
        </p>
      `
    : html`<p>${say("missing", { missing })} ${say("chargeByCashier")}</p>`;

/** @param {Purchase} purchase */
const paidView = (purchase) => html`
  <section class="notice good">
    <p class="big" aria-hidden="true">✓</p>
    <p>${say("ticketPaid")}</p>
    <p>${say("yourPoints", { balance: purchase.balance })} · <a href="#/points">${say("history")}</a></p>
    <p class="buttons">${refundView(purchase)}</p>
  </section>
`;

/** A ticket that is given back cannot be had again for sure: that is asked twice. @param {Purchase} purchase */
const refundView = (purchase) =>
  purchase.asksToCancel
    ? html`
        <span>${say("sure")}</span>
        <button class="danger" data-next aria-busy=${purchase.isBusy} @click=${purchase.cancel}>${say("yesCancel")}</button>
        <button @click=${() => purchase.ask(false)}>${say("no")}</button>
      `
    : html`<button data-next aria-busy=${purchase.isBusy} @click=${() => purchase.ask(true)}>${say("cancelTicket")}</button>`;

/** @param {any} reservation @param {string} words */
const endedView = (reservation, words) => html`
  <section class="notice" role="status">
    <p>${words}</p>
    <p>
      <a data-next href="#/concerts/${reservation.concertId}/schedules/${reservation.scheduleId}">${say("chooseAgain")}</a>
    </p>
  </section>
`;
