// One user: wallet, statement, reservations, and what may be done for them.

import { html, nothing } from "../vendor/lit-html@3.3.3/lit-html.js";
import { moment, number } from "../shared/words.js";
import { settings } from "../shared/settings.js";
import { findView } from "./cashier.js";
import { change, factsView, failed, formView, look, mayChange, mayCharge } from "./desk.js";

export class Person {
  /** @type {any} */
  user = null;
  /** @type {any[]} */
  movements = [];
  /** @type {any[]} */
  reservations = [];

  /** @param {string} userId @param {() => void} changed */
  constructor(userId, changed) {
    this.userId = userId;
    this.changed = changed;
  }

  load = async () => {
    if (!this.userId) return;
    const path = `/api/operations/users/${this.userId}`;
    const [user, movements, reservations] = await Promise.all([
      look(path),
      look(`${path}/points/history`),
      look(`${path}/reservations`),
    ]);
    Object.assign(this, { user, movements, reservations });
    this.changed();
  };
}

/** @param {Person} person */
export const personView = (person) => html`
  <h1 tabindex="-1">${person.user ? html`User ${person.userId}` : "Users"}</h1>
  <form class="inline" @submit=${(/** @type {any} */ event) => { event.preventDefault(); location.hash = `#/users/${event.target.userId.value.trim()}`; }}>
    <label>User id <input name="userId" inputmode="numeric" pattern="[0-9]+" required .value=${person.userId} /></label>
    <button>Show</button>
  </form>
  ${settings.identity === "jwt" && mayCharge() ? findView() : nothing} ${person.user ? foundView(person) : nothing}
`;

/** @param {Person} person */
function foundView(person) {
  const { user } = person;
  return html`
    ${factsView([
      ["Balance", html`${number(user.balance)} points`],
      ["Token", user.token ? html`${user.token.status}, number ${user.token.queueNumber ?? "–"}` : "none"],
    ])}
    ${changesView(person)}
    <h2>Reservations</h2>
    <ul>
      ${person.reservations.map(
        (found) => html`<li>
          Reservation ${found.reservationId}: ${found.reservationStatus}, schedule ${found.scheduleId}, seats
          ${found.seats.map((/** @type {any} */ seat) => seat.seatName).join(", ")}, ${number(found.totalPrice)} points
        </li>`,
      )}
    </ul>
    <h2>Statement</h2>
    <ul>
      ${person.movements.map(
        (movement) => html`<li>
          ${moment(movement.at)}: ${movement.kind} ${number(movement.amount)}, balance ${number(movement.balanceAfter)}
          ${movement.reason ? html`(${movement.reason})` : nothing}
          <span class="quiet hash">position ${movement.position}, ${movement.hash}</span>
        </li>`,
      )}
    </ul>
  `;
}

/** @param {Person} person */
function changesView(person) {
  const path = `/api/operations/users/${person.userId}`;
  const then = async (/** @type {Promise<any>} */ changed) => {
    await changed;
    await person.load().catch(failed);
  };
  if (!mayCharge()) return nothing;
  const charge = formView({
    title: "Charge: money came in",
    action: "Charge",
    reason: false,
    fields: [{ name: "amount", label: "Points", type: "number" }],
    submit: (body) => then(change("POST", `${path}/charges`, body, "The wallet is charged.")),
  });
  if (!mayChange()) return html`<section class="panel">${charge}</section>`;
  return html`<section class="panel">
    ${charge}
    ${formView({
      title: "Adjust the balance",
      action: "Adjust",
      fields: [
        { name: "amount", label: "Points, negative to take away", type: "number" },
        { name: "corrects", label: "Position that it corrects", type: "number", optional: true },
      ],
      submit: (body) => then(change("POST", `${path}/adjustments`, body, "The balance is adjusted.")),
    })}
    ${formView({
      title: "Cancel a reservation for the buyer",
      action: "Cancel it",
      danger: true,
      fields: [{ name: "reservationId", label: "Reservation", type: "number" }],
      submit: ({ reservationId, reason }) =>
        then(change("POST", `/api/operations/reservations/${reservationId}/cancel`, { reason }, "The reservation is cancelled.")),
    })}
    ${formView({
      title: "Expel: end the user's token",
      action: "Expel",
      danger: true,
      submit: (body) => then(change("POST", `${path}/expulsion`, body, "The user's token is ended. Holds stay.")),
    })}
  </section>`;
}
