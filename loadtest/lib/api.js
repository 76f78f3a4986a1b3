// What every scenario needs of the server: where it is, and one function a route.
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

function params(name, token) {
  const headers = { 'Content-Type': 'application/json' };
  if (token) headers.Authorization = token;
  return { headers, tags: { name }, responseCallback: EXPECTED };
}

const post = (name, path, body, token) => http.post(`${BASE}${path}`, JSON.stringify(body), params(name, token));
const get = (name, path, token) => http.get(`${BASE}${path}`, params(name, token));

export const issueToken = (userId) => post('token', '/api/tokens', { userId });
export const myToken = (token) => get('my token', '/api/tokens/me', token);
export const leave = (token) => http.del(`${BASE}/api/tokens/me`, null, params('leave', token));
export const queue = () => get('queue', '/api/queue');
export const charge = (userId, amount, token) => post('charge', `/api/users/${userId}/points/charge`, { amount }, token);
export const balance = (userId, token) => get('balance', `/api/users/${userId}/points/balance`, token);
export const concerts = () => get('concerts', '/api/concerts');
export const concert = (id) => get('concert', `/api/concerts/${id}`);
export const dates = (id) => get('dates', `/api/concerts/${id}/dates`);
export const seats = (concertId, scheduleId, token) =>
  get('seats', `/api/concerts/${concertId}/schedules/${scheduleId}/seats`, token);
export const reserve = (body, token) => post('reservation', '/api/concerts/reservation', body, token);
export const pay = (body, token) => post('payment', '/api/payments', body, token);

// The user's token once it is ACTIVE; polls the queue, which is one cached answer for everyone, as a client should.
export function enter(userId, sleep) {
  const issued = issueToken(userId);
  if (issued.status !== 200) return null;
  let { token, status, queueNumber } = issued.json();
  while (status === 'WAITING') {
    sleep(1);
    const room = queue();
    if (room.status !== 200 || room.json('servingNumber') < queueNumber) continue;
    const mine = myToken(token);
    if (mine.status !== 200) return null;
    status = mine.json('status');
  }
  return status === 'ACTIVE' ? token : null;
}
