// The buyer's page: which view is shown, what goes on while it is shown, and what every view has around it.

import { html, nothing } from "../vendor/lit-html@3.3.3/lit-html.js";
import { onConnection } from "../shared/api.js";
import { focusNext, show, skipLink } from "../shared/shell.js";
import { tell } from "../shared/time-left.js";
import { language, say, sayProblem } from "../shared/words.js";
import { isTurnOver } from "./house.js";
import { takeUpSignIn } from "./login.js";
import { follow, join, lookAtQueue, resume, visit } from "./visit.js";
import { viewOf } from "./views.js";

/** How often the room's state is asked for where no stream tells it. */
const LOOK_MS = 3_000;
/** What is a state of the sale and no fault: it is told without alarm. */
const CALM = new Set(["unreachable", "sale-paused", "token-expired", "token-unknown", "room-full", "overloaded", "log-unavailable", "read-model-behind"]);

/** @type {{view: import("./views.js").View, problem: {words: string, isCalm: boolean} | null, isLost: boolean, isLoading: boolean}} */
const page = { view: { key: "", show: () => nothing }, problem: null, isLost: false, isLoading: true };
/** What the shown view does; ended when another is shown, or the page is hidden. */
let doing = new AbortController();
/** Whether somebody was in line or inside when the view began: it begins anew when that changes. */
let began = "";
/** Whether the view could not begin: it does when the connection is back. */
let hasFailed = false;

function draw() {
  show(layout(), say("title"));
}

const layout = () => html`
  ${skipLink(say("skip"))}
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
    ${page.problem ? html`<p class="notice ${page.problem.isCalm ? "" : "problem"}" role="alert">${page.problem.words}</p>` : nothing}
    ${page.isLoading ? html`<h1 tabindex="-1">${say("loading")}</h1>` : page.view.show()}
  </main>
  <p id="told" class="unseen" aria-live="polite"></p>
`;

/** Says what went wrong, where the page does not show it as a state anyway. @param {unknown} error */
function failed(error) {
  const { name, code } = /** @type {any} */ (error);
  if (name === "AbortError") return;
  if (isTurnOver(error)) resume().catch(() => {});
  const isShown = code === "not-admitted" || (code === "unreachable" && page.isLost);
  if (!isShown) page.problem = { words: sayProblem(error), isCalm: CALM.has(code) };
  draw();
  document.querySelector('main [role="alert"]')?.scrollIntoView({ block: "nearest" });
}

/** Does what a button asks, once at a time, and says what did not work. @param {() => Promise<any>} act */
function doIt(act) {
  let isBusy = false;
  return async () => {
    if (isBusy) return;
    isBusy = true;
    page.problem = null;
    await act().catch(failed);
    isBusy = false;
    draw();
  };
}

/** @param {number} milliseconds @param {AbortSignal} signal @param {() => Promise<any>} act */
function every(milliseconds, signal, act) {
  const timer = setInterval(() => act().catch((error) => isTurnOver(error) && failed(error)), milliseconds);
  signal.addEventListener("abort", () => clearInterval(timer));
}

/** Begins what the shown view does: its own work, and following the room. */
async function start() {
  doing.abort();
  doing = new AbortController();
  const { signal } = doing;
  if (document.hidden) return;
  began = visit.token?.status ?? "";
  every(LOOK_MS, signal, lookAtQueue);
  if (visit.token?.status === "WAITING") follow(signal).catch(failed);
  try {
    await Promise.all([lookAtQueue().catch(() => {}), page.view.start?.(signal)]);
    hasFailed = false;
  } catch (error) {
    if (signal.aborted) return;
    hasFailed = true;
    failed(error);
  }
  page.isLoading = false;
  draw();
}

async function go() {
  const view = viewOf(location.hash, { draw, failed, doIt, every });
  if (view.key === page.view.key && page.view.turn) {
    page.view.turn(location.hash);
    draw();
    focusNext();
    return;
  }
  Object.assign(page, { view, problem: null, isLoading: true });
  tell("");
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
  if (!isLost) {
    if (page.problem?.isCalm) page.problem = null;
    resume().catch(() => {}).then(() => (hasFailed ? start() : undefined));
  }
  draw();
});
addEventListener("hashchange", go);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) doing.abort();
  else resume().catch(failed).then(start);
});

document.documentElement.lang = language;
draw();
try {
  if (await takeUpSignIn()) await join(true);
  else await resume();
  await go();
} catch (error) {
  await go();
  failed(error);
}
