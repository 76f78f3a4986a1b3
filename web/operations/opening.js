// The opening of the sale: announcing it, putting it off, taking it back, the beacon, and the draw.

import { html, nothing } from "../vendor/lit-html@3.3.3/lit-html.js";
import { moment, number } from "../shared/words.js";
import { change, factsView, formView, local, mayChange } from "./desk.js";

const OPENING = "/api/operations/opening";

/** What the draw waits for. @type {import("./desk.js").Field[]} */
const BEACON = [
  { name: "beaconSource", label: "Beacon", optional: true, hint: "A public value that nobody knows yet, such as a round of drand. The draw waits for it." },
  { name: "beaconAt", label: "The beacon appears at", type: "datetime-local", optional: true },
];

/** @param {any} room */
export function openingView({ opening, entrants, draw }) {
  if (!opening && !mayChange()) return nothing;
  return html`<section class="panel">
    <h2>The opening</h2>
    ${opening ? announcedView(opening, entrants, draw) : announceView()}
  </section>`;
}

const announceView = () =>
  formView({
    title: "Announce an opening with a draw",
    action: "Announce",
    fields: [
      { name: "prequeueFrom", label: "The pre-queue begins at", type: "datetime-local", hint: "From then on nobody is let in, and everybody may join." },
      { name: "opensAt", label: "The sale opens at", type: "datetime-local", hint: "Then the list is closed and drawn. A minute from now at least." },
      ...BEACON,
    ],
    submit: (body) => change("POST", OPENING, body, "The opening is announced."),
  });

/** @param {any} opening @param {number | null} entrants @param {any} draw */
function announcedView(opening, entrants, draw) {
  const isClosed = draw && !draw.seed;
  return html`
    ${factsView([
      ["Pre-queue from", moment(opening.prequeueFrom)],
      ["Opens", moment(opening.opensAt)],
      ["Entrants", entrants === null ? "none yet" : number(entrants)],
      ["Commitment", html`<span class="hash">${opening.commitment}</span>, position ${number(opening.position)}`],
      ["Beacon", opening.beaconSource ? html`${opening.beaconSource}, at ${moment(opening.beaconAt)}` : "none"],
    ])}
    ${mayChange() ? (isClosed ? nothing : html`${putOffView(opening)} ${withdrawView(opening)}`) : nothing}
    ${mayChange() && opening.beaconSource ? beaconView() : nothing}
  `;
}

/** @param {any} opening */
const putOffView = (opening) =>
  formView({
    title: "Put it off",
    action: "Put off",
    fields: [
      { name: "opensAt", label: "The sale opens at", type: "datetime-local", value: local(opening.opensAt) },
      ...(opening.beaconSource ? BEACON.map((field) => ({ ...field, optional: false })) : []),
    ],
    submit: (body) => change("PATCH", OPENING, body, "The opening is put off."),
  });

/** @param {any} opening */
const withdrawView = (opening) =>
  Date.now() >= Date.parse(opening.prequeueFrom)
    ? nothing
    : formView({
        title: "Take it back",
        action: "Take back",
        danger: true,
        submit: ({ reason }) => change("DELETE", `${OPENING}?reason=${encodeURIComponent(reason)}`, undefined, "The opening is taken back."),
      });

const beaconView = () =>
  formView({
    title: "Tell the beacon's value",
    action: "Tell",
    fields: [{ name: "value", label: "Value, 64 hexadecimal digits" }],
    submit: (body) => change("POST", `${OPENING}/beacon`, body, "The beacon is in the log. The draw follows."),
  });

/** What anybody needs to recompute the order. @param {any} draw */
export function drawView(draw) {
  if (!draw) return nothing;
  return html`<section class="panel">
    <h2>${draw.seed ? "The draw" : "The list is closed"}</h2>
    ${factsView([
      ["Entrants", number(draw.entrants)],
      ["First place", number(draw.first)],
      ["Closed", html`<span class="hash">${draw.closedHash}</span>, position ${number(draw.closedPosition)}`],
      ["Seed", draw.seed ? html`<span class="hash">${draw.seed}</span>, position ${number(draw.position)}` : "not drawn yet"],
      ["Beacon", draw.beacon ? html`<span class="hash">${draw.beacon}</span>` : (draw.beaconSource ?? "none")],
    ])}
  </section>`;
}
