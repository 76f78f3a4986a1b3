// The operators' page: which view an address shows, and what every view has around it.

import { html, nothing } from "../vendor/lit-html@3.3.3/lit-html.js";
import { onConnection } from "../shared/api.js";
import { settings } from "../shared/settings.js";
import { show as showPage, skipLink } from "../shared/shell.js";
import { tell } from "../shared/time-left.js";
import { say } from "../shared/words.js";
import { Books, booksView } from "./books.js";
import { cashierView } from "./cashier.js";
import { credential, desk, failed, mayLook, signInWith, signOut } from "./desk.js";
import { Overview, overviewView } from "./overview.js";
import { Person, personView } from "./people.js";
import { Show, showView } from "./show.js";

/** How often what is shown is looked at again. */
const LOOK_MS = 2_000;

/** @typedef {{show: () => unknown, load: () => Promise<any>, start?: (signal: AbortSignal) => unknown}} View */

/** @type {View} */
let view = { show: () => nothing, load: async () => {} };
let isLost = false;
let doing = new AbortController();

const isKnown = () => settings.identity !== "jwt" || credential() !== null;

function draw() {
  showPage(layout(), "Reprise operations");
}

const layout = () => html`
  ${skipLink("Skip to content")}
  <header>
    <nav aria-label="Operations">
      <a href="#/"><strong>Reprise operations</strong></a>
      <span>
        ${isKnown() && mayLook() ? html`<a href="#/users">Users</a> <a href="#/events">Events</a>` : nothing}
        <a href="/docs">HTTP</a>
        ${settings.identity === "jwt" && credential() ? html`<button class="small" @click=${signOut}>Sign out</button>` : nothing}
      </span>
    </nav>
  </header>
  <main id="main" tabindex="-1">
    ${isLost ? html`<p class="notice" role="status">${say("reconnecting")}</p>` : nothing}
    ${desk.problem ? html`<p class="notice problem" role="alert">${desk.problem}</p>` : nothing}
    ${desk.said ? html`<p class="notice good" role="status">${desk.said}</p>` : nothing}
    ${isKnown() ? view.show() : signInView()}
  </main>
  <p id="told" class="unseen" aria-live="polite"></p>
`;

const signInView = () => html`
  <h1 tabindex="-1">Sign in</h1>
  <form
    class="panel"
    @submit=${(/** @type {any} */ event) => {
      event.preventDefault();
      signInWith(event.target.jwt.value);
      go();
    }}
  >
    <p><label>Your access token (a JWT of the identity provider) <textarea name="jwt" rows="5" required></textarea></label></p>
    <p class="quiet">It stays in this tab. The server checks it with every request.</p>
    <p><button class="primary">Sign in</button></p>
  </form>
`;

/** @returns {View} */
function overview() {
  const found = new Overview();
  return { show: () => overviewView(found), load: found.load };
}

/** @param {string} scheduleId @returns {View} */
function show(scheduleId) {
  const found = new Show(scheduleId, draw);
  return { show: () => showView(found), load: found.load };
}

/** @param {string} [userId] @returns {View} */
function person(userId = "") {
  const found = new Person(userId, draw);
  return { show: () => personView(found), load: found.load };
}

/** @returns {View} */
function books() {
  const found = new Books(draw);
  return { show: () => booksView(found), load: found.load, start: found.follow };
}

/** @returns {View} what somebody sees who only charges: there is nothing to look at */
const cashier = () => ({ show: cashierView, load: async () => {} });

/** @type {[RegExp, (...parts: string[]) => View][]} */
const ROUTES = [
  [/^#\/schedules\/(\d+)$/, show],
  [/^#\/users(?:\/(\d+))?$/, person],
  [/^#\/events$/, books],
  [/^/, overview],
];

/** Looks, and looks again, until another view is shown. */
async function follow() {
  doing.abort();
  doing = new AbortController();
  const { signal } = doing;
  if (!isKnown() || document.hidden) return;
  /** What looking said last: it is taken back when looking works again. */
  let said = "";
  const look = async () => {
    try {
      await view.load();
      if (said && desk.problem === said) desk.problem = "";
      said = "";
    } catch (error) {
      if (signal.aborted) return;
      failed(error);
      said = desk.problem;
    }
    draw();
  };
  await look();
  if (signal.aborted) return;
  view.start?.(signal);
  const timer = setInterval(look, LOOK_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
}

async function go() {
  Object.assign(desk, { said: "", problem: "" });
  const [pattern, make] = /** @type {any} */ (ROUTES.find(([pattern]) => pattern.test(location.hash)));
  view = isKnown() && !mayLook() ? cashier() : make(...(pattern.exec(location.hash) ?? []).slice(1));
  draw();
  await follow();
  document.querySelector("h1")?.focus();
}

desk.changed = draw;
onConnection((lost) => {
  isLost = lost;
  tell(say(lost ? "reconnecting" : "connected"));
  draw();
});
addEventListener("hashchange", go);
document.addEventListener("visibilitychange", follow);
draw();
await go();
