// The log and what is folded from it: events as they come, read models with their lag, and the head to note elsewhere.

import { html, nothing } from "../vendor/lit-html@3.3.3/lit-html.js";
import { stream } from "../shared/api.js";
import { tell } from "../shared/time-left.js";
import { number } from "../shared/words.js";
import { change, credential, desk, factsView, failed, formView, look, mayChange } from "./desk.js";

/** Events that are shown at most. */
const KEPT = 200;
/** Events before now that are shown at first; with a filter, those that are looked through. */
const [RECENT, LOOKED_THROUGH] = [20, 100_000];
/** Characters of an event that are shown before somebody opens it. */
const SUMMARY = 120;

export class Books {
  /** @type {any[]} */
  events = [];
  /** @type {any[]} */
  projections = [];
  /** @type {any} */
  head = null;
  filter = { types: "", userId: "" };
  #following = new AbortController();

  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
  }

  load = async () => {
    const [head, projections] = await Promise.all([look("/api/operations/head"), look("/api/operations/projections")]);
    Object.assign(this, { head, projections });
    this.changed();
  };

  /** Follows the log; with a filter, after what it finds of the past. @param {AbortSignal} signal */
  follow = async (signal) => {
    this.#following.abort();
    this.#following = new AbortController();
    const mine = AbortSignal.any([signal, this.#following.signal]);
    const head = this.head?.position ?? 0;
    this.again = () => this.follow(signal);
    try {
      this.events = this.#isFiltered() ? await this.#past(head, mine) : [];
      const after = this.#isFiltered() ? head : Math.max(0, head - RECENT);
      for await (const { data } of stream(`/api/operations/events/stream?after=${after}`, { token: credential(), signal: mine })) {
        if (this.#isWanted(data)) this.events = [data, ...this.events].slice(0, KEPT);
        this.changed();
      }
    } catch (error) {
      if (!mine.aborted) failed(error);
    }
  };

  again = async () => {};

  /** @param {string} types @param {string} userId */
  narrow = (types, userId) => {
    this.filter = { types, userId };
    desk.problem = "";
    return this.again();
  };

  #isFiltered() {
    return Boolean(this.filter.types || this.filter.userId);
  }

  /** Records up to the head that fit the filter, the newest first. @param {number} head @param {AbortSignal} signal */
  async #past(head, signal) {
    const asked = new URLSearchParams({ after: String(Math.max(0, head - LOOKED_THROUGH)) });
    for (const [name, value] of Object.entries(this.filter)) if (value) asked.set(name, value);
    const lines = /** @type {string} */ (await look(`/api/operations/events?${asked}`, signal));
    const found = lines.split("\n").filter(Boolean).slice(-KEPT);
    return found.map((line) => JSON.parse(line)).filter(({ position }) => position <= head).reverse();
  }

  /** @param {any} event */
  #isWanted({ type, data }) {
    const { types, userId } = this.filter;
    const isOfType = !types || types.split(",").includes(type);
    return isOfType && (!userId || new RegExp(`"user_id":${userId}\\b`).test(textOf(data)));
  }
}

/** @param {any} data */
const textOf = (data) => (typeof data === "string" ? data : JSON.stringify(data));

/** @param {Books} books */
export const booksView = (books) => html`
  <h1 tabindex="-1">Events</h1>
  ${books.head ? headView(books.head) : nothing}
  ${filterView(books)}
  ${books.events.length === 0 ? html`<p>No such event yet. New ones are shown as they come.</p>` : nothing}
  <ol class="rows events" reversed>
    ${books.events.map(eventView)}
  </ol>
  <h2>Read models</h2>
  <ul class="rows">
    ${books.projections.map(projectionView)}
  </ul>
`;

/** @param {Books} books */
function filterView(books) {
  const types = [...new Set(books.events.map(({ type }) => type))].sort();
  const send = (/** @type {any} */ event) => {
    event.preventDefault();
    const { types, userId } = event.target;
    books.narrow(types.value.replaceAll(" ", ""), userId.value.trim());
  };
  return html`
    <form class="inline" @submit=${send}>
      <label>Type <input name="types" list="types" autocomplete="off" /></label>
      <datalist id="types">${types.map((type) => html`<option value=${type}></option>`)}</datalist>
      <label>User id <input name="userId" inputmode="numeric" pattern="[0-9]+" autocomplete="off" /></label>
      <button>Show</button>
    </form>
    <p class="quiet">Empty fields: every event. With a filter the last ${number(LOOKED_THROUGH)} events are looked through. Several types: a comma between them.</p>
  `;
}

/** @param {any} event */
function eventView({ position, type, data, recorded_at, recordedAt }) {
  const [text, at] = [textOf(data), recorded_at ?? recordedAt];
  const summary = text.length > SUMMARY ? `${text.slice(0, SUMMARY)} …` : text;
  return html`<li class="card">
    <strong>${position} ${type}</strong> <span class="quiet">${at === undefined ? "" : new Date(at).toISOString()}</span>
    ${text.length > SUMMARY
      ? html`<details><summary class="quiet hash">${summary}</summary><p class="hash">${text}</p></details>`
      : html`<p class="quiet hash">${text}</p>`}
  </li>`;
}

/** @param {any} model */
const projectionView = (model) => html`<li class="card">
  <h3>${model.projection}</h3>
  ${factsView([
    ["State", model.state],
    ["Position", number(model.position)],
    ["Behind, events", number(model.lagEvents)],
    ["Behind, seconds", number(model.lagSeconds)],
    ...(model.building ? /** @type {[string, unknown][]} */ ([["Being built", textOf(model.building)]]) : []),
    ...(model.reason ? /** @type {[string, unknown][]} */ ([["Why", model.reason]]) : []),
  ])}
  ${mayChange()
    ? formView({
        title: `Build ${model.projection} anew`,
        action: "Rebuild",
        reason: false,
        submit: () =>
          change("POST", `/api/operations/projections/${model.projection}/rebuild`, undefined, `${model.projection} is built anew. The old one serves meanwhile.`),
      })
    : nothing}
</li>`;

/** @param {any} head */
function headView(head) {
  const text = `${head.position}:${head.hash}`;
  const copy = async () => {
    await navigator.clipboard.writeText(text).catch(failed);
    tell("Copied.");
  };
  return html`
    <section class="panel">
      <h2>Head</h2>
      <p>position ${number(head.position)}</p>
      <p class="hash">${text}</p>
      <p class="quiet">Note it elsewhere. Later, <code>reprise log verify --expect ${text}</code> proves that nothing before it was changed.</p>
      ${navigator.clipboard ? html`<p><button @click=${copy}>Copy</button></p>` : nothing}
    </section>
  `;
}
