// The waiting room as somebody sees it who waits, takes part in a draw, or has a turn.

import { html, nothing } from "../vendor/lit-html@3.3.3/lit-html.js";
import { serverNow } from "../shared/api.js";
import { canProve, drawnNumber } from "../shared/proof.js";
import { tell } from "../shared/time-left.js";
import { about, moment, say } from "../shared/words.js";
import { lookAtQueue, visit } from "./visit.js";

/** What the last check of a place said. */
let checked = "";

/** Why nobody gets seats just now, where the sale is paused. */
export function pausedView() {
  const { queue } = visit;
  const isPaused = queue?.state === "PAUSED" || Boolean(queue?.pauseReason);
  if (!isPaused) return nothing;
  return html`
    <section class="notice" role="status">
      <h2>${say("paused")}</h2>
      <p>${say("pausedReason", { reason: queue?.pauseReason })}</p>
      <p>${queue?.resumesAt ? say("resumesAt", { when: moment(queue.resumesAt) }) : say("resumesLater")}</p>
    </section>
  `;
}

/** The pre-queue with its countdown, before the draw; and before it begins, that it will. */
export function prequeueView() {
  const { queue, token } = visit;
  if (!queue?.opensAt) return nothing;
  if (queue.state !== "PREQUEUE") {
    const from = queue.opening?.prequeueFrom;
    return from ? html`<p class="notice">${say("announced", { from: moment(from), when: moment(queue.opensAt) })}</p>` : nothing;
  }
  const seconds = (Date.parse(queue.opensAt) - serverNow()) / 1_000;
  const source = queue.opening?.beaconSource;
  return html`
    <section class="notice">
      <h2>${say("prequeue", { when: moment(queue.opensAt) })}</h2>
      ${seconds > 0
        ? html`<p class="big"><time-left .seconds=${seconds} .standing=${false} @over=${lookAtQueue}></time-left></p>
            <p>${say("opensIn")}</p>`
        : html`<p role="status">${source ? say("drawWaitsFor", { source }) : say("drawWaits")}</p>`}
      ${token?.entrant != null ? html`<p>${say("entrant", { entrant: token.entrant })}</p>` : nothing}
      ${token?.status === "ACTIVE" ? html`<p>${say("insideMustLeave")}</p>` : nothing}
    </section>
  `;
}

/** @param {() => void} leave */
export function waitingView(leave) {
  const token = /** @type {import("./visit.js").Token} */ (visit.token);
  const isKnown = token.ahead != null;
  const estimate = token.estimatedWaitSeconds;
  return html`
    <section class="panel">
      <h2 tabindex="-1" data-next>${say("inLine")}</h2>
      ${isKnown
        ? html`
            <p class="big">${say("ahead", { ahead: token.ahead })}</p>
            <p>${say("queueNumber", { number: token.queueNumber })}</p>
            <p>${estimate == null ? say("estimateUnknown") : say("estimate", { time: about(estimate) })}</p>
          `
        : nothing}
      <p class="quiet">${say("keepOpen")}</p>
      ${checkView(token)}
      <p><button @click=${leave}>${say("leave")}</button></p>
    </section>
  `;
}

/** The place that a draw gave, to be recomputed here, whether one still waits or is inside. @param {import("./visit.js").Token} token */
export function checkView(token) {
  const draw = visit.queue?.draw;
  if (!draw?.seed || token.entrant == null || token.queueNumber == null) return nothing;
  const check = async () => {
    const { queueNumber, isCommitted } = await drawnNumber(draw, /** @type {number} */ (token.entrant));
    const isRight = isCommitted && queueNumber === token.queueNumber;
    checked = say(isRight ? "placeRight" : "placeWrong", { entrant: token.entrant, number: queueNumber });
    tell(checked);
    visit.changed();
  };
  if (!canProve) return html`<p class="quiet">${say("cannotProve")}</p>`;
  return html`<p><button @click=${check}>${say("checkPlace")}</button></p>
    ${checked ? html`<p>${checked}</p>` : nothing}`;
}
