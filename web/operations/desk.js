// What every view of the operators' page shares: who somebody is, how a change is asked for with its reason, and what came of it.

import { html, nothing } from "../vendor/lit-html@3.3.3/lit-html.js";
import { ask, command, Problem } from "../shared/api.js";
import { settings } from "../shared/settings.js";
import { tell } from "../shared/time-left.js";
import { sayProblem } from "../shared/words.js";

const JWT = "reprise-operator";

/** @type {{said: string, problem: string, changed: () => void}} */
export const desk = { said: "", problem: "", changed: () => {} };

/** What `Authorization` says; nothing where nobody is asked. */
export const credential = () => (settings.identity === "jwt" ? sessionStorage.getItem(JWT) : null);

/** @param {string} jwt */
export function signInWith(jwt) {
  sessionStorage.setItem(JWT, jwt.trim().replace(/^Bearer\s+/i, ""));
  desk.changed();
}

export function signOut() {
  sessionStorage.removeItem(JWT);
  desk.changed();
}

/** The roles that the token lists. The server checks them; the page only leaves out what they do not allow. */
function roles() {
  if (settings.identity !== "jwt") return ["operator"];
  try {
    const payload = (credential() ?? "").split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    /** @type {any} */
    let found = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(payload), (char) => char.charCodeAt(0))));
    for (const part of (settings.rolesClaim ?? "roles").split(".")) found = found?.[part];
    return [found ?? []].flat();
  } catch {
    return [];
  }
}

export const mayChange = () => roles().includes("operator");
export const mayCharge = () => mayChange() || roles().includes("cashier");
/** Whether somebody may look at the sale: a cashier only charges. */
export const mayLook = () => mayChange() || !mayCharge();

/** @param {string} path @param {AbortSignal} [signal] */
export const look = (path, signal) => ask("GET", path, { token: credential(), signal });

/** Shows what went wrong. @param {unknown} error */
export function failed(error) {
  if (/** @type {any} */ (error)?.name === "AbortError") return;
  const { code, members } = /** @type {Problem} */ (error);
  // That the connection is lost is said as a state.
  if (code === "unreachable") return;
  desk.problem = members?.detail ?? sayProblem(error);
  if (code === "identity-invalid" || code === "identity-missing") signOut();
  tell(desk.problem);
  desk.changed();
}

/**
 * Changes something, says so, and looks again.
 * @param {string} method @param {string} path @param {Record<string, any> | undefined} body @param {string} said
 */
export async function change(method, path, body, said) {
  Object.assign(desk, { problem: "", said: "" });
  try {
    const answer = await command(method, path, { token: credential(), body });
    desk.said = said;
    tell(said);
    return answer;
  } catch (error) {
    failed(error);
    return null;
  } finally {
    desk.changed();
  }
}

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {string} label
 * @property {string} [type]
 * @property {any} [value]
 * @property {string} [hint]
 * @property {boolean} [optional]
 */

/**
 * A change as a form: its fields, and its reason, which stands in the log with it.
 * @param {{title: string, action: string, fields?: Field[], reason?: boolean, danger?: boolean, open?: boolean, submit: (values: Record<string, any>) => unknown}} form
 */
export function formView({ title, action, fields = [], reason = true, danger = false, open = false, submit }) {
  const asked = reason ? [...fields, { name: "reason", label: "Reason" }] : fields;
  const send = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (form.ariaBusy === "true") return;
    form.ariaBusy = "true";
    await submit(Object.fromEntries(asked.map((field) => [field.name, valueOf(form, field)])));
    form.ariaBusy = null;
    // What was done is not done again by a second press.
    if (!desk.problem) form.reset();
  };
  return html`
    <details ?open=${open}>
      <summary>${title}</summary>
      <form @submit=${send}>
        ${asked.map(fieldView)}
        <p><button class=${danger ? "danger" : "primary"}>${action}</button></p>
      </form>
    </details>
  `;
}

/** @param {Field} field */
const fieldView = ({ name, label, type = "text", value = "", hint, optional = false }) => html`
  <p>
    <label>
      ${label}
      <input
        name=${name}
        type=${type}
        value=${String(value ?? "")}
        ?required=${!optional}
        maxlength=${type === "text" ? 200 : nothing}
        autocomplete="off"
      />
    </label>
    ${hint ? html`<span class="quiet">${hint}</span>` : nothing}
  </p>
`;

/** @param {HTMLFormElement} form @param {Field} field */
function valueOf(form, { name, type }) {
  const { value } = /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
  if (value === "") return null;
  if (type === "number") return Number(value);
  if (type === "datetime-local") return new Date(value).toISOString();
  return value;
}

/** A moment as a field of a form takes it, by the clock of this machine. @param {string} at */
export function local(at) {
  const moment = new Date(at);
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** Members as a table of two columns. @param {[string, unknown][]} members */
export const factsView = (members) => html`
  <dl>
    ${members.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
  </dl>
`;
