// What the addresses show. A view knows what it shows, and what it does while it is shown.

import { html, nothing } from "../vendor/lit-html@3.3.3/lit-html.js";
import { get } from "../shared/api.js";
import { settings } from "../shared/settings.js";
import { say } from "../shared/words.js";
import { Choice } from "./choice.js";
import { concertsView, concertView, dateName, priceRange, saleState } from "./concerts.js";
import { House } from "./house.js";
import { heldHere, Mine, pointsView, ticketsView } from "./mine.js";
import { Purchase, purchaseView } from "./reservation.js";
import { checkView, pausedView, prequeueView, waitingView } from "./room.js";
import { choiceView } from "./seats.js";
import { credential, join, leave, resume, visit } from "./visit.js";

/** How often a hold is looked at: somebody may change it elsewhere. */
const LOOK_MS = 3_000;
/** Seats of one show that a user may have, unless its date says less. */
const SEATS_PER_USER = 4;

/**
 * What a view may ask of the page around it.
 * @typedef {object} Page
 * @property {() => void} draw
 * @property {(error: unknown) => void} failed
 * @property {(act: () => Promise<any>) => () => Promise<void>} doIt
 * @property {(milliseconds: number, signal: AbortSignal, act: () => Promise<any>) => void} every
 */
/**
 * A view: `start` is done while it is shown (until `signal` ends it), `turn` where only the place within it changed.
 * @typedef {object} View
 * @property {string} key the same for all places within one view
 * @property {() => unknown} show
 * @property {(signal: AbortSignal) => Promise<void>} [start]
 * @property {(hash: string) => void} [turn]
 */

/** What stands where nothing could be found. */
const untitled = () => html`<h1 tabindex="-1">${say("title")}</h1>`;

/** @returns {Omit<View, "key">} */
function concerts() {
  /** @type {any[]} */
  let list = [];
  return {
    show: () => concertsView(list),
    start: async () => {
      list = await get("/api/concerts");
    },
  };
}

/** @param {string} concertId */
const concertAndDates = (concertId) => Promise.all([get(`/api/concerts/${concertId}`), get(`/api/concerts/${concertId}/dates`)]);

/** @param {Page} page @param {string} concertId @returns {Omit<View, "key">} */
function concert(page, concertId) {
  /** @type {any} */
  let found = null;
  /** @type {any[]} */
  let dates = [];
  let all = false;
  const showAll = () => {
    all = true;
    page.draw();
  };
  return {
    show: () => (found ? concertView(found, dates, all, showAll) : untitled()),
    start: async () => {
      [found, dates] = await concertAndDates(concertId);
    },
  };
}

/** @param {Page} page @param {string} concertId @param {string} scheduleId @param {string} place @returns {Omit<View, "key">} */
function schedule(page, concertId, scheduleId, place) {
  /** @type {any} */
  let found = null;
  /** @type {any} */
  let date = null;
  /** @type {any[]} */
  let held = [];
  const room = roomParts(page);
  const show = { concertId: Number(concertId), scheduleId: Number(scheduleId), limit: SEATS_PER_USER };
  const house = new House(show.concertId, show.scheduleId);
  const choice = new Choice({ ...show, house }, page);
  choice.turn(place);
  /** The house follows for as long as it is looked at. @param {AbortSignal} signal */
  const followHouse = (signal) =>
    house.follow(signal, choice.settle).catch((error) => !signal.aborted && page.failed(error));
  return {
    turn: (hash) => choice.turn(hash),
    show: () => html`
      <p><a href="#/concerts/${concertId}">← ${found?.concertName ?? say("back")}</a></p>
      <h1 tabindex="-1">${found?.concertName ?? say("title")}</h1>
      ${date ? html`<p>${[dateName(date), found.venue, priceRange(date)].filter(Boolean).join(" · ")}</p>` : nothing}
      ${date && saleState(date) ? html`<p class="notice">${saleState(date)}</p>` : nothing}
      ${held.map(
        (hold) => html`<p class="notice good">
          <a href="#/reservations/${hold.reservationId}">${say("heldHere", { names: hold.seats.map((/** @type {any} */ seat) => seat.seatName).join(", ") })}</a>
        </p>`,
      )}
      ${roomView(room)}
      ${visit.token?.status === "ACTIVE" && house.seats.size > 0 ? choiceView(choice) : nothing}
    `,
    start: async (signal) => {
      if (visit.token?.status === "ACTIVE") followHouse(signal);
      const [[concertFound, dates], holds] = await Promise.all([concertAndDates(concertId), heldHere(show.scheduleId)]);
      [found, held] = [concertFound, holds];
      date = dates.find((/** @type {any} */ each) => each.concertScheduleId === show.scheduleId);
      if (!date) throw Object.assign(new Error("schedule"), { code: "schedule-not-found", members: {} });
      choice.show.limit = date.seatsPerUser ?? SEATS_PER_USER;
    },
  };
}

/** What one can do in the room. @param {Page} page */
const roomParts = ({ doIt }) => ({ join: doIt(() => join()), leave: doIt(leave), look: doIt(resume) });

/** Where one stands: not in line, in line, inside, or out again. @param {ReturnType<typeof roomParts>} room */
function roomView(room) {
  const { token } = visit;
  const around = html`${prequeueView()} ${pausedView()}`;
  const joining = (/** @type {string} */ hint) => html`
    ${around}
    <section class="panel">
      <p>${hint}</p>
      <p><button class="primary" data-next @click=${room.join}>${say("join")}</button></p>
    </section>
  `;
  if (!token) {
    if (settings.identity === "jwt" && !settings.login) return html`<p class="notice">${say("noLogin")}</p>`;
    return joining(say("joinHint"));
  }
  if (token.status === "WAITING") return html`${around} ${waitingView(room.leave)}`;
  if (token.status !== "ACTIVE") return joining(say("turnOver"));
  return html`
    ${around}
    <section class="turn">
      <h2 tabindex="-1" data-next>${say("yourTurn")}</h2>
      ${token.expiresInSeconds === null
        ? nothing
        : html`<p>
            ${say("timeToChoose")}
            <time-left .seconds=${token.expiresInSeconds} .standing=${visit.queue?.state === "PAUSED"} @over=${room.look}></time-left>
          </p>`}
      <button class="small" @click=${room.leave}>${say("leaveRoom")}</button>
    </section>
    ${checkView(token)}
  `;
}

/** @param {Page} page @param {string} reservationId @returns {Omit<View, "key">} */
function reservation(page, reservationId) {
  const purchase = new Purchase(Number(reservationId), page.draw, page.failed);
  let showName = "";
  return own(page, say("heldTitle"), {
    show: () => purchaseView(purchase, showName),
    start: async (signal) => {
      await purchase.load();
      const { concertId, scheduleId } = purchase.reservation;
      page.every(LOOK_MS, signal, async () => {
        if (purchase.reservation.reservationStatus === "HELD" && !purchase.isBusy) await purchase.load();
      });
      const [{ concertName }, dates] = await concertAndDates(concertId);
      const date = dates.find((/** @type {any} */ each) => each.concertScheduleId === scheduleId);
      showName = date ? `${concertName} · ${dateName(date)}` : concertName;
    },
  });
}

/** @param {Page} page @param {string} title @param {(mine: Mine) => unknown} show @param {"loadReservations" | "loadPoints"} load */
function mine(page, title, show, load) {
  const found = new Mine(page.draw, page.failed);
  return own(page, title, { show: () => show(found), start: () => found[load]() });
}

/**
 * A view of what is one's own: without a token there is nothing to ask for.
 * @param {Page} page @param {string} title @param {Omit<View, "key">} view @returns {Omit<View, "key">}
 */
function own({ doIt }, title, view) {
  const joining = doIt(() => join());
  return {
    show: () =>
      credential()
        ? view.show()
        : html`<h1 tabindex="-1">${title}</h1>
            <p>${say("joinFirst")}</p>
            <p><button class="primary" data-next @click=${joining}>${say("join")}</button></p>`,
    start: async (signal) => {
      if (credential()) await view.start?.(signal);
    },
  };
}

/** @type {[RegExp, (page: Page, ...parts: string[]) => Omit<View, "key">][]} */
const ROUTES = [
  [/^#?\/?$/, concerts],
  [/^#\/concerts\/(\d+)$/, concert],
  [/^#\/concerts\/(\d+)\/schedules\/(\d+)(\/sections\/.*)?$/, schedule],
  [/^#\/reservations\/(\d+)$/, reservation],
  [/^#\/mine$/, (page) => mine(page, say("myTickets"), ticketsView, "loadReservations")],
  [/^#\/points$/, (page) => mine(page, say("points"), pointsView, "loadPoints")],
];

/** The view of an address. @param {string} hash @param {Page} page @returns {View} */
export function viewOf(hash, page) {
  const key = hash.replace(/\/sections\/.*$/, "");
  for (const [pattern, view] of ROUTES) {
    const found = pattern.exec(hash);
    if (found) return { key, ...view(page, ...found.slice(1)) };
  }
  return { key, show: () => html`<h1 tabindex="-1">${say("notFoundPage")}</h1><p><a href="#/">${say("concerts")}</a></p>` };
}
