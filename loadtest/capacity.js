// How much of one API the server can take: arrivals ramp until p95 passes 200 ms or 1 % fail. Nothing must hold; the
// knee is read off the report. API=token|charge|balance|concerts|concert|dates|seats|reservation|payment
import exec from 'k6/execution';
import { balance, charge, concert, concerts, dates, issueToken, pay, reserve, seats } from './lib/api.js';

const API = __ENV.API || 'charge';
const TOP = Number(__ENV.TOP || 20000);
const USERS = Number(__ENV.USERS || 1000);

export const options = {
  setupTimeout: '5m',
  scenarios: {
    capacity: {
      executor: 'ramping-arrival-rate', startRate: 100, timeUnit: '1s', preAllocatedVUs: 500, maxVUs: 2000,
      stages: [{ target: TOP, duration: __ENV.RAMP || '60s' }],
    },
  },
  thresholds: {
    [`http_req_duration{name:${API}}`]: [{ threshold: 'p(95)<200', abortOnFail: true, delayAbortEval: '10s' }],
    http_req_failed: [{ threshold: 'rate<0.01', abortOnFail: true, delayAbortEval: '10s' }],
  },
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'max'],
};

// Who acts: each with a token, and for payments with points.
export function setup() {
  const needed = ['token', 'concerts', 'concert', 'dates'].includes(API) ? 0 : USERS;
  return Array.from({ length: needed }, (_, index) => {
    const userId = 10000 + index;
    const token = issueToken(userId).json('token');
    if (API === 'payment') charge(userId, 10000000, token);
    return { userId, token };
  });
}

// Every arrival gets a seat of its own, as long as the demo's 15,000 last.
function seatOf(arrival) {
  return { concertId: 1, scheduleId: 1 + (arrival % 300), seatId: 1 + (Math.floor(arrival / 300) % 50) };
}

const one = {
  token: (arrival) => issueToken(1000000 + arrival),
  charge: (_, { userId, token }) => charge(userId, 1, token),
  balance: (_, { userId, token }) => balance(userId, token),
  concerts: () => concerts(),
  concert: () => concert(1),
  dates: () => dates(1),
  seats: (arrival, { token }) => seats(1, 1 + (arrival % 300), token),
  reservation: (arrival, { userId, token }) => reserve({ ...seatOf(arrival), userId }, token),
  payment: (arrival, { userId, token }) => {
    const held = reserve({ ...seatOf(arrival), userId }, token);
    if (held.status !== 200) return;
    pay({ reservationId: held.json('reservationId'), userId, paymentAmount: held.json('totalPrice') }, token);
  },
};

export default function (people) {
  const arrival = exec.scenario.iterationInTest;
  one[API](arrival, people[arrival % (people.length || 1)]);
}
