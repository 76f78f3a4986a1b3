// The log and what is folded from it: events as they come, read models with their lag, and the head to note elsewhere.

import { html, nothing } from "../vendor/lit-html@3.3.3/lit-html.js";
import { stream } from "../shared/api.js";
import { change, credential, factsView, failed, formView, look, mayChange } from "./desk.js";

/** Events that are shown at most. */
const KEPT = 200;

export class Books {
  /** @type {any[]} */
  events = [];
  /** @type {any[]} */
  projections = [];
  /** @type {any} */
  head = null;
  type = "";
  user = "";

  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
  }

  load = async () => {
    const [head, projections] = await Promise.all([
      look("/api/operations/head"),
      look("/api/operations/projections"),
    ]);
    Object.assign(this, { head, projections: Array.isArray(projections) ? projections : projections.projections });
    this.changed();
  };

  /** @param {AbortSignal} signal */
  follow = async (signal) => {
    const after = Math.max(0, (this.head?.position ?? 0) - 20);
    try {
      for await (const { data } of stream(`/api/operations/events/stream?after=${after}`, { token: credential(), signal })) {
        this.events.unshift(data);
        this.events.length = Math.min(this.events.length, KEPT);
        this.changed();
      }
    } catch (error) {
      failed(error);
    }
  };
}

/** @param {any} event */
const typeOf = (event) => event.type ?? event.event_type ?? "";

/** @param {Books} books */
export function booksView(books) {
  const isWanted = (/** @type {any} */ event) =>
    (!books.type || typeOf(event) === books.type) &&
    (!books.user || new RegExp(`"user_id":${books.user}\\b`).test(JSON.stringify(event).replaceAll("\\", "")));
  const types = [...new Set(books.events.map(typeOf))].sort();
  const set = (/** @type {"type" | "user"} */ member) => (/** @type {any} */ event) => {
    books[member] = event.target.value.trim();
    books.changed();
  };
  return html`
    <h1 tabindex="-1">Events</h1>
    ${books.head ? headView(books.head) : nothing}
    <form class="inline" @submit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <label>Type
        <select @change=${set("type")}>
          <option value="">all</option>
          ${types.map((type) => html`<option>${type}</option>`)}
        </select>
      </label>
      <label>User id <input inputmode="numeric" @input=${set("user")} /></label>
    </form>
    <ol class="rows events" reversed>
      ${books.events.filter(isWanted).map(
        (event) => html`<li class="card">
          <strong>${event.position} ${typeOf(event)}</strong>
          <span class="quiet hash">${typeof event.data === "string" ? event.data : JSON.stringify(event.data)}</span>
        </li>`,
      )}
    </ol>
    <h2>Read models</h2>
    <ul class="rows">
      ${books.projections.map(
        (projection) => html`<li class="card">
          ${factsView(Object.entries(projection).map(([name, value]) => [name, typeof value === "object" ? JSON.stringify(value) : String(value)]))}
          ${mayChange()
            ? formView({
                title: `Build ${projection.name} anew`,
                action: "Rebuild",
                reason: false,
                submit: () => change("POST", `/api/operations/projections/${projection.name}/rebuild`, undefined, `${projection.name} is built anew. The old one serves meanwhile.`),
              })
            : nothing}
        </li>`,
      )}
    </ul>
  `;
}

/** @param {any} head */
function headView(head) {
  const text = `${head.position}:${head.hash}`;
  const copy = () => navigator.clipboard?.writeText(text).catch(failed);
  return html`
    <section class="panel">
      <h2>Head</h2>
      <p class="hash">${text}</p>
      <p class="quiet">Note it elsewhere: reprise log verify --expect ${text}</p>
      <button @click=${copy}>Copy</button>
    </section>
  `;
}
