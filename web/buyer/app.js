// The buyer's page: which view an address shows, what it follows while it is shown, and what every view has around it.

import { html, nothing, render } from "../vendor/lit-html@3.3.3/lit-html.js";
import { get, onConnection } from "../shared/api.js";
import { settings } from "../shared/settings.js";
import { tell } from "../shared/time-left.js";
import { language, say, sayProblem } from "../shared/words.js";
import { concertsView, concertView, dateName, priceRange, saleState } from "./concerts.js";
import { House, isTurnOver } from "./house.js";
import { takeUpSignIn } from "./login.js";
import { Mine, pointsView, ticketsView } from "./mine.js";
import { Purchase, purchaseView } from "./reservation.js";
import { pausedView, prequeueView, waitingView } from "./room.js";
import { Choice, choiceView } from "./seats.js";
import { credential, follow, join, leave, lookAtQueue, resume, visit } from "./visit.js";

/** How often the room's state is asked for where no stream tells it. */
const LOOK_MS = 3_000;
/** Seats of one show that a user may have, unless its date says less. */
const SEATS_PER_USER = 4;

/**
 * A view: what it shows, and what it does while it is shown (until `signal` ends it).
 * @typedef {{show: () => unknown, start?: (signal: AbortSignal) => Promise<void>}} View
 */

/** @type {{view: View, problem: string, isLost: boolean, isLoading: boolean}} */
const page = { view: { show: () => nothing }, problem: "", isLost: false, isLoading: true };
/** What the shown view does; ended when another is shown, or the page is hidden. */
let doing = new AbortController();
/** Whether somebody was in line or inside when the view began: it begins anew when that changes. */
let began = "";

/** @param {unknown} error */
function failed(error) {
  if (/** @type {any} */ (error)?.name === "AbortError") return;
  page.problem = sayProblem(error);
  tell(page.problem);
  if (isTurnOver(error)) resume().catch(() => {});
  draw();
}

/** Does what a button asks, and says what did not work. @param {() => Promise<any>} act */
const doIt = (act) => async () => {
  page.problem = "";
  await act().catch(failed);
  draw();
};

function draw() {
  render(layout(), document.body);
}

const layout = () => html`
  <a class="skip" href="#main" @click=${skip}>${say("skip")}</a>
  <header>
    <nav aria-label=${say("title")}>
      <a href="#/"><strong>${say("title")}</strong></a>
      <span>
        <a href="#/mine">${say("myTickets")}</a>
        <a href="#/points">${say("points")}</a>
      </span>
    </nav>
  </header>
  <main id="main" tabindex="-1">
    ${page.isLost ? html`<p class="notice" role="status">${say("reconnecting")}</p>` : nothing}
    ${page.problem ? html`<p class="notice problem" role="alert">${page.problem}</p>` : nothing}
    ${page.isLoading ? html`<p>${say("loading")}</p>` : page.view.show()}
  </main>
  <p id="told" class="unseen" aria-live="polite"></p>
`;

/** @param {Event} event */
function skip(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

// What the addresses show.

/** What stands where nothing could be found. */
const untitled = () => html`<h1 tabindex="-1">${say("title")}</h1>`;

/** @returns {View} */
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

/** @param {string} concertId @returns {View} */
function concert(concertId) {
  /** @type {any} */
  let found = null;
  /** @type {any[]} */
  let dates = [];
  let all = false;
  const showAll = () => {
    all = true;
    draw();
  };
  return {
    show: () => (found ? concertView(found, dates, all, showAll) : untitled()),
    start: async () => {
      [found, dates] = await Promise.all([
        get(`/api/concerts/${concertId}`),
        get(`/api/concerts/${concertId}/dates`),
      ]);
    },
  };
}

/** @param {string} concertId @param {string} scheduleId @returns {View} */
function schedule(concertId, scheduleId) {
  /** @type {any} */
  let found = null;
  /** @type {any} */
  let date = null;
  const show = { concertId: Number(concertId), scheduleId: Number(scheduleId), limit: SEATS_PER_USER };
  const house = new House(show.concertId, show.scheduleId);
  const held = (/** @type {any} */ reservation) => location.assign(`#/reservations/${reservation.reservationId}`);
  const choice = new Choice({ ...show, house }, draw, held, (error) => {
    failed(error);
    choice.settle();
  });
  return {
    show: () => html`
      <p><a href="#/concerts/${concertId}">← ${found?.concertName ?? say("back")}</a></p>
      <h1 tabindex="-1">${found?.concertName ?? say("title")}</h1>
      ${date ? html`<p>${[dateName(date), found.venue, priceRange(date)].filter(Boolean).join(" · ")}</p>` : nothing}
      ${date && saleState(date) ? html`<p class="notice">${saleState(date)}</p>` : nothing} ${roomView()}
      ${visit.token?.status === "ACTIVE" && house.seats.size > 0 ? choiceView(choice) : nothing}
    `,
    start: async (signal) => {
      const [concertFound, dates] = await Promise.all([
        get(`/api/concerts/${concertId}`),
        get(`/api/concerts/${concertId}/dates`),
      ]);
      found = concertFound;
      date = dates.find((/** @type {any} */ each) => each.concertScheduleId === show.scheduleId);
      if (!date) throw Object.assign(new Error("schedule"), { code: "schedule-not-found", members: {} });
      choice.show.limit = date.seatsPerUser ?? SEATS_PER_USER;
      if (visit.token?.status !== "ACTIVE") return;
      choice.userId = visit.token.userId;
      // The view is shown at once; the house follows for as long as it is looked at.
      house
        .follow(signal, () => {
          choice.settle();
          draw();
        })
        .catch((error) => !signal.aborted && failed(error));
    },
  };
}

/** Where one stands: not in line, in line, inside, or out again. */
function roomView() {
  const { token } = visit;
  const joining = (/** @type {string} */ hint) => html`
    ${prequeueView()} ${pausedView()}
    <section class="panel">
      <p>${hint}</p>
      <p><button class="primary" @click=${doIt(join)}>${say("join")}</button></p>
    </section>
  `;
  if (!token) {
    if (settings.identity === "jwt" && !settings.login) return html`<p class="notice">${say("noLogin")}</p>`;
    return joining(say("joinHint"));
  }
  if (token.status === "WAITING") return html`${prequeueView()} ${pausedView()} ${waitingView(doIt(leave))}`;
  if (token.status !== "ACTIVE") return joining(say("turnOver"));
  return html`
    ${prequeueView()} ${pausedView()}
    <section class="turn">
      <h2>${say("yourTurn")}</h2>
      ${token.expiresInSeconds === null
        ? nothing
        : html`<p>
            ${say("timeToChoose", { time: "" })}
            <time-left .seconds=${token.expiresInSeconds} .standing=${visit.queue?.state === "PAUSED"} @over=${doIt(resume)}></time-left>
          </p>`}
      <button class="small" @click=${doIt(leave)}>${say("leaveRoom")}</button>
    </section>
  `;
}

/** @param {string} reservationId @returns {View} */
function reservation(reservationId) {
  const purchase = new Purchase(Number(reservationId), draw, failed);
  let showName = "";
  return own({
    show: () => purchaseView(purchase, showName),
    start: async (signal) => {
      await purchase.load();
      const { concertId, scheduleId } = purchase.reservation;
      const [{ concertName }, dates] = await Promise.all([
        get(`/api/concerts/${concertId}`),
        get(`/api/concerts/${concertId}/dates`),
      ]);
      const date = dates.find((/** @type {any} */ each) => each.concertScheduleId === scheduleId);
      showName = date ? `${concertName} · ${dateName(date)}` : concertName;
      every(LOOK_MS, signal, async () => {
        if (purchase.reservation.reservationStatus === "HELD" && !purchase.isBusy) await purchase.load();
      });
    },
  });
}

/** @param {(mine: Mine) => unknown} show @param {"loadReservations" | "loadPoints"} load @returns {View} */
function mine(show, load) {
  const found = new Mine(draw, failed);
  return own({ show: () => show(found), start: () => found[load]() });
}

/** A view of what is one's own: without a token there is nothing to ask for. @param {View} view @returns {View} */
const own = (view) => ({
  show: () => (credential() ? view.show() : html`<h1 tabindex="-1">${say("myTickets")}</h1><p>${say("joinFirst")}</p>
    <p><button class="primary" @click=${doIt(join)}>${say("join")}</button></p>`),
  start: async (signal) => {
    if (credential()) await view.start?.(signal);
  },
});

/** @type {[RegExp, (...parts: string[]) => View][]} */
const ROUTES = [
  [/^#?\/?$/, concerts],
  [/^#\/concerts\/(\d+)$/, concert],
  [/^#\/concerts\/(\d+)\/schedules\/(\d+)$/, schedule],
  [/^#\/reservations\/(\d+)$/, reservation],
  [/^#\/mine$/, () => mine(ticketsView, "loadReservations")],
  [/^#\/points$/, () => mine(pointsView, "loadPoints")],
];

/** @returns {View} */
function viewOf(/** @type {string} */ hash) {
  for (const [pattern, view] of ROUTES) {
    const found = pattern.exec(hash);
    if (found) return view(...found.slice(1));
  }
  return { show: () => html`<h1 tabindex="-1">${say("notFoundPage")}</h1><p><a href="#/">${say("concerts")}</a></p>` };
}

// What goes on while a view is shown.

/** @param {number} milliseconds @param {AbortSignal} signal @param {() => Promise<any>} act */
function every(milliseconds, signal, act) {
  const timer = setInterval(() => act().catch(() => {}), milliseconds);
  signal.addEventListener("abort", () => clearInterval(timer));
}

/** Begins what the shown view does: its own work, and following the room. */
async function start() {
  doing.abort();
  doing = new AbortController();
  const { signal } = doing;
  began = visit.token?.status ?? "";
  every(LOOK_MS, signal, lookAtQueue);
  if (visit.token?.status === "WAITING") follow(signal).catch(failed);
  try {
    await lookAtQueue();
    await page.view.start?.(signal);
  } catch (error) {
    if (!signal.aborted) failed(error);
  }
  page.isLoading = false;
  draw();
}

async function go() {
  Object.assign(page, { view: viewOf(location.hash), problem: "", isLoading: true });
  draw();
  await start();
  document.querySelector("h1")?.focus();
}

visit.changed = () => {
  if (!page.isLoading && (visit.token?.status ?? "") !== began) start();
  draw();
};
onConnection((isLost) => {
  page.isLost = isLost;
  tell(say(isLost ? "reconnecting" : "connected"));
  draw();
});
addEventListener("hashchange", go);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) doing.abort();
  else resume().catch(failed).then(start);
});

document.documentElement.lang = language;
document.title = say("title");
draw();
try {
  if (await takeUpSignIn()) await join();
  else await resume();
  await go();
} catch (error) {
  await go();
  failed(error);
}
