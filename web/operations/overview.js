// The sale at a glance: what is sold, who waits, how fast it goes; pause and resume, the opening, and the room.

import { html, nothing } from "../vendor/lit-html@3.3.3/lit-html.js";
import { moment, number } from "../shared/words.js";
import { change, factsView, formView, look, mayChange } from "./desk.js";
import { drawView, openingView } from "./opening.js";
import { Metrics } from "./plots.js";

/** Shows that are listed. */
const SHOWN = 30;

export class Overview {
  /** @type {any[]} */
  sales = [];
  /** @type {any} */
  room = null;
  /** @type {any} */
  head = null;
  /** @type {Metrics | null} */
  #before = null;
  #at = 0;
  /** @type {Record<string, {at: number, values: number[]}>} */
  plots = {};
  lag = 0;
  p99 = 0;

  load = async () => {
    const [sales, room, head, text] = await Promise.all([
      look("/api/operations/sales"),
      look("/api/operations/room"),
      look("/api/operations/head"),
      look("/metrics"),
    ]);
    Object.assign(this, { sales, room, head });
    const [metrics, at, before] = [new Metrics(text), Date.now() / 1_000, this.#before];
    const rate = (/** @type {string} */ name, /** @type {RegExp} */ labels = /./) =>
      before && at > this.#at ? Math.max(0, (metrics.sum(name, labels) - before.sum(name, labels)) / (at - this.#at)) : 0;
    const refused = /status="4(09|10|03|29)"|status="503"/;
    this.p99 = 1_000 * metrics.quantile("reprise_http_request_duration_seconds", 0.99, before);
    this.lag = metrics.largest("reprise_projection_lag_events");
    const values = {
      seats: [this.total("sold"), this.total("held")],
      takings: [this.total("takings")],
      rates: [rate("reprise_room_admitted_total"), rate("reprise_http_requests_total", refused)],
      people: [metrics.sum("reprise_room_waiting"), metrics.sum("reprise_room_active")],
      p99: [this.p99],
      log: [head.position],
      events: [rate("reprise_log_position"), this.lag],
    };
    this.plots = Object.fromEntries(Object.entries(values).map(([name, values]) => [name, { at, values }]));
    [this.#before, this.#at] = [metrics, at];
  };

  /** @param {"seatsTotal" | "held" | "sold" | "takings"} member */
  total(member) {
    return this.sales.reduce((sum, line) => sum + line[member], 0);
  }
}

/** @param {Overview} overview */
export function overviewView(overview) {
  const { room, head, sales } = overview;
  if (!room) return html`<h1 tabindex="-1">The sale</h1>`;
  return html`
    <h1 tabindex="-1">The sale</h1>
    <section class="figures">
      ${figure("sold", overview.total("sold"))} ${figure("held", overview.total("held"))}
      ${figure("free", overview.total("seatsTotal") - overview.total("sold") - overview.total("held"))}
      ${figure("takings, points", overview.total("takings"))} ${figure("in line", room.waiting)}
      ${figure("inside", room.active)} ${figure("position", head.position)} ${figure("p99, ms", overview.p99)}
      ${figure("read models' lag, events", overview.lag)}
    </section>
    ${pauseView(room)}
    <section class="plots" aria-label="Plots">
      ${plotView("Seats sold and held", ["sold", "held"], overview.plots.seats)}
      ${plotView("Takings, points", ["takings"], overview.plots.takings)}
      ${plotView("People in line and inside", ["in line", "inside"], overview.plots.people)}
      ${plotView("Admissions and refusals a second", ["admitted", "refused"], overview.plots.rates)}
      ${plotView("p99 of answers, ms", ["p99"], overview.plots.p99)}
      ${plotView("Log position", ["position"], overview.plots.log)}
      ${plotView("Events a second, and read models' lag", ["events a second", "lag, events"], overview.plots.events)}
    </section>
    ${openingView(room)} ${drawView(room.draw)} ${roomView(room)}
    <h2>Shows</h2>
    <form class="inline" @submit=${(/** @type {any} */ event) => { event.preventDefault(); location.hash = `#/schedules/${event.target.scheduleId.value.trim()}`; }}>
      <label>Schedule <input name="scheduleId" inputmode="numeric" pattern="[0-9]+" required autocomplete="off" /></label>
      <button>Show</button>
    </form>
    ${sales.length > SHOWN ? html`<p>The ${SHOWN} of ${number(sales.length)} with the most sold and held.</p>` : nothing}
    <ul class="rows">
      ${[...sales].sort((one, other) => other.sold + other.held - one.sold - one.held).slice(0, SHOWN).map(
        (line) => html`
          <li>
            <a class="row" href="#/schedules/${line.scheduleId}">
              <span><strong>Schedule ${line.scheduleId}</strong> of concert ${line.concertId}</span>
              <span>${number(line.sold)} sold, ${number(line.held)} held of ${number(line.seatsTotal)}</span>
              <span>${number(line.takings)} points</span>
            </a>
          </li>
        `,
      )}
    </ul>
  `;
}

/** @param {string} name @param {number} value */
const figure = (name, value) => html`<p><span class="big">${number(value)}</span> <span>${name}</span></p>`;

/** @param {string} title @param {string[]} lines @param {{at: number, values: number[]} | undefined} next */
const plotView = (title, lines, next) => html`
  <div class="panel">
    <h2>${title}</h2>
    <line-plot .lines=${lines} .next=${next ?? null}></line-plot>
  </div>
`;

/** @param {any} room */
function pauseView(room) {
  const pause = room.pause;
  if (!pause) {
    if (!mayChange()) return nothing;
    return html`<section class="panel">
      ${formView({
        title: "Pause the sale",
        action: "Pause",
        danger: true,
        open: true,
        fields: [{ name: "resumesAt", label: "It goes on at", type: "datetime-local", optional: true, hint: "Leave it empty to resume by hand." }],
        submit: ({ reason, resumesAt }) => {
          const body = { reason, ...(resumesAt ? { resumesAt } : {}) };
          return change("POST", "/api/operations/pause", body, "The sale is paused.");
        },
      })}
    </section>`;
  }
  return html`
    <section class="notice">
      <h2>The sale is paused</h2>
      <p>Reason: ${pause.reason ?? pause.pauseReason}</p>
      <p>${pause.resumesAt ? html`It goes on at ${moment(pause.resumesAt)}.` : "It goes on when somebody resumes it."}</p>
      ${mayChange()
        ? formView({
            title: "Resume the sale",
            action: "Resume",
            open: true,
            submit: ({ reason }) => change("POST", "/api/operations/resume", { reason }, "The sale goes on."),
          })
        : nothing}
    </section>
  `;
}

/** @param {any} room */
const roomView = (room) => html`
  <section class="panel">
    <h2>The room</h2>
    ${factsView([
      ["Capacity", number(room.capacity)],
      ["Admissions a second", room.admissionsPerSecond ?? "no limit"],
      ["Seconds to arrive", room.arrivalSeconds ?? "nobody has to"],
      ["Serving number", number(room.servingNumber)],
    ])}
    ${mayChange()
      ? formView({
          title: "Change the room",
          action: "Change",
          fields: [
            { name: "capacity", label: "Capacity", type: "number", value: room.capacity },
            { name: "admissionsPerSecond", label: "Admissions a second", type: "number", value: room.admissionsPerSecond, optional: true, hint: "Empty: no limit." },
            { name: "arrivalSeconds", label: "Seconds to arrive", type: "number", value: room.arrivalSeconds, optional: true, hint: "10 to 600; then the place goes to the next. Empty: nobody has to arrive." },
          ],
          submit: (body) => change("PUT", "/api/operations/room", body, "The room is changed."),
        })
      : nothing}
  </section>
`;
