// What a cashier sees: whom to find, and that money came in.

import { html } from "../vendor/lit-html@3.3.3/lit-html.js";
import { change, desk, failed, formView, look } from "./desk.js";

/** The user of the identity provider's name for them. @param {string} sub */
async function find(sub) {
  try {
    const { userId } = await look(`/api/operations/users?sub=${encodeURIComponent(sub)}`);
    desk.said = `${sub} is user ${userId}.`;
  } catch (error) {
    failed(error);
  }
  desk.changed();
}

export const findView = () =>
  formView({
    title: "Find a user by the identity provider's name for them",
    action: "Find",
    reason: false,
    fields: [{ name: "sub", label: "Subject, the `sub` of their token" }],
    submit: ({ sub }) => find(sub),
  });

export const cashierView = () => html`
  <h1 tabindex="-1">Charging</h1>
  <section class="panel">
    ${formView({
      title: "Charge: money came in",
      action: "Charge",
      reason: false,
      open: true,
      fields: [
        { name: "userId", label: "User id", type: "number" },
        { name: "amount", label: "Points", type: "number" },
      ],
      submit: ({ userId, amount }) =>
        change("POST", `/api/operations/users/${userId}/charges`, { amount }, `The wallet of user ${userId} is charged with ${amount} points.`),
    })}
    ${findView()}
    ${formView({
      title: "Make a user who has not been here yet",
      action: "Make",
      reason: false,
      fields: [{ name: "sub", label: "Subject, the `sub` of their token" }],
      submit: async ({ sub }) => {
        const made = await change("POST", "/api/operations/users", { sub }, "The user is there.");
        if (made) desk.said = `${sub} is user ${made.userId}.`;
        desk.changed();
      },
    })}
  </section>
`;
