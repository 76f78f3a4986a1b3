// What every scenario needs of the server: where it is, and one function a route.
import exec from 'k6/execution';
import http from 'k6/http';

export const BASE = __ENV.BASE_URL || 'http://127.0.0.1:8080';
// The demo's fixed tokens of users 1 to 3.
export const FIXED_TOKENS = {
  1: '96cdc907-fbae-4ebb-8c60-b27fa841b60d',
  2: 'eca61a00-954d-4a88-ade7-d24fbd53d588',
  3: '1700e3de-f017-4ae3-90ba-9e2d5c5714de',
};

// A refusal that a rule gives is an answer that is expected: it does not count as a failure.
const EXPECTED = http.expectedStatuses(200, 304, 403, 409, 410);

// A command's key is used once: by this VU, in this run.
const RUN = Date.now().toString(36);
let keys = 0;

function nextKey() {
  keys += 1;
  return `${RUN}-${exec.vu.idInTest}-${keys}`;
}

// The routes, each asked by `send`. The tag `name` is what thresholds and the report call a route. Where commands are `keyed`, k6
// repeats one by itself whose connection the server closed at that moment, after 30 s of idleness; else it is a failure.
function routes(send, keyed = false) {
  const ask = (method, name, path, token, body) => {
    const headers = {};
    if (token) headers.Authorization = token;
    if (body) headers['Content-Type'] = 'application/json';
    if (keyed && method !== 'GET') headers['Idempotency-Key'] = nextKey();
    return send(method, `${BASE}${path}`, body && JSON.stringify(body), { headers, tags: { name }, responseCallback: EXPECTED });
  };
  return {
    issueToken: (userId) => ask('POST', 'token', '/api/tokens', null, { userId }),
    myToken: (token) => ask('GET', 'my token', '/api/tokens/me', token),
    leave: (token) => ask('DELETE', 'leave', '/api/tokens/me', token),
    queue: () => ask('GET', 'queue', '/api/queue'),
    charge: (userId, amount, token) => ask('POST', 'charge', `/api/users/${userId}/points/charge`, token, { amount }),
    balance: (userId, token) => ask('GET', 'balance', `/api/users/${userId}/points/balance`, token),
    concerts: () => ask('GET', 'concerts', '/api/concerts'),
    concert: (id) => ask('GET', 'concert', `/api/concerts/${id}`),
    dates: (id) => ask('GET', 'dates', `/api/concerts/${id}/dates`),
    seats: (concertId, scheduleId, token) => ask('GET', 'seats', `/api/concerts/${concertId}/schedules/${scheduleId}/seats`, token),
    reserve: (body, token) => ask('POST', 'reservation', '/api/concerts/reservation', token, body),
    cancel: (id, token) => ask('DELETE', 'cancel', `/api/reservations/${id}`, token),
    pay: (body, token) => ask('POST', 'payment', '/api/payments', token, body),
  };
}

// One after another, as a VU does by itself.
export const api = routes(http.request);
// The same, for clients that retry, and that pause as long as people do.
export const keyed = routes(http.request, true);
// Not asked yet: for `http.batch`.
export const described = routes((...request) => request);
// As promises, so that one VU can be many people.
export const promised = routes(http.asyncRequest, true);
