// How much of one API the server can take: arrivals go up in steps until p95 passes 200 ms or 1 % fail. Nothing must hold:
// the knee is read off the report. API=token|charge|balance|concerts|concert|dates|seats|reservation|payment
// Reservations and payments need the seats of a stadium, which loadtest/run imports before the server starts:
// STADIUM=FIRST_SCHEDULE,SCHEDULES,SEATS_EACH of concert 1001.
import { check, fail, sleep } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';
import { Gauge } from 'k6/metrics';
import { api, described } from './lib/api.js';

const API = __ENV.API || 'charge';
const RATES = (__ENV.RATES || '500,1000,2000,4000,8000').split(',').map(Number);
const STEP_SECONDS = Number(__ENV.STEP_SECONDS || 3);
const USERS = 1000;
const CONCERT = 1001;
const [FIRST_SCHEDULE, SCHEDULES, SEATS] = (__ENV.STADIUM || '1001,200,1000').split(',').map(Number);
const PRICE = 10000;
const VUS = Number(__ENV.VUS || 1000);
// Before the first step every VU has read what was prepared, and has a connection.
const WARM_UP_SECONDS = 5;
// Payments are of holds that were made before.
const PREPARED_PAYMENTS = Number(__ENV.PREPARED || 80000);
// Preparing takes as long, wherever it is faster: k6 counts a threshold's delay from before it.
const SETUP_SECONDS = API === 'payment' ? Number(__ENV.SETUP_SECONDS || 30) : 0;
const BATCH = 100;
// A reservation's id among the prepared ones, so wide: one string is passed to each VU at less cost than an array.
const ID_WIDTH = 8;
const startedAt = new Gauge('capacity_started_at');

const ofStep = (index) => `{name:${API},step:${index}}`;
const stop = (threshold, index) => [{ threshold, abortOnFail: true, delayAbortEval: `${SETUP_SECONDS + WARM_UP_SECONDS + (index + 1) * STEP_SECONDS}s` }];

export const options = {
  setupTimeout: '3m',
  batch: BATCH,
  batchPerHost: BATCH,
  scenarios: {
    warm_up: { executor: 'per-vu-iterations', vus: VUS, iterations: 1, exec: 'warmUp', maxDuration: `${WARM_UP_SECONDS}s`, gracefulStop: '0s' },
    capacity: {
      executor: 'ramping-arrival-rate',
      startRate: RATES[0],
      startTime: `${WARM_UP_SECONDS}s`,
      timeUnit: '1s',
      preAllocatedVUs: VUS,
      gracefulStop: '5s',
      stages: RATES.flatMap((rate) => [{ target: rate, duration: '0s' }, { target: rate, duration: `${STEP_SECONDS}s` }]),
    },
  },
  thresholds: Object.fromEntries(RATES.flatMap((_, index) => [
    [`http_req_duration${ofStep(index)}`, stop('p(95)<200', index)],
    [`http_req_failed${ofStep(index)}`, stop('rate<0.01', index)],
    [`http_reqs${ofStep(index)}`, ['count>=0']],
  ])),
};

// Every arrival's user, and a seat of its own in a schedule where that user has none yet.
function seatOf(arrival) {
  const [user, round] = [arrival % USERS, Math.floor(arrival / USERS)];
  const seat = round * (USERS / SCHEDULES) + Math.floor(user / SCHEDULES);
  if (seat >= SEATS) exec.test.abort('all seats are held');
  return { concertId: CONCERT, scheduleId: FIRST_SCHEDULE + ((round + user) % SCHEDULES), seatId: 1 + seat, userId: 10000 + user };
}

// Asks many things at once, in order of `numbers`; all must be answered with 200.
function askAll(count, request) {
  const answers = [];
  for (let first = 0; first < count; first += BATCH) {
    const requests = Array.from({ length: Math.min(BATCH, count - first) }, (_, index) => request(first + index));
    answers.push(...http.batch(requests));
  }
  const refused = answers.find((answer) => answer.status !== 200);
  if (refused) fail(`not prepared: ${refused.status} ${refused.body}`);
  return answers;
}

// Who acts, each with a token; for payments, with points and holds.
export function setup() {
  if (!['charge', 'balance', 'seats', 'reservation', 'payment'].includes(API)) return { tokens: [] };
  const began = Date.now();
  const tokens = askAll(USERS, (user) => described.issueToken(10000 + user)).map((answer) => answer.json('token'));
  if (API !== 'payment') return { tokens };
  askAll(USERS, (user) => described.charge(10000 + user, 10000000, tokens[user]));
  const held = askAll(PREPARED_PAYMENTS, (arrival) => described.reserve(seatOf(arrival), tokens[arrival % USERS]));
  sleep(Math.max(SETUP_SECONDS - (Date.now() - began) / 1000, 0));
  return { tokens, reservationIds: held.map((answer) => String(answer.json('reservationId')).padStart(ID_WIDTH)).join('') };
}

const one = {
  token: (arrival) => api.issueToken(1000000 + arrival),
  charge: (arrival, token) => api.charge(10000 + (arrival % USERS), 1, token),
  balance: (arrival, token) => api.balance(10000 + (arrival % USERS), token),
  concerts: () => api.concerts(),
  concert: () => api.concert(1),
  dates: () => api.dates(1),
  seats: (arrival, token) => api.seats(1, 1 + (arrival % 300), token),
  reservation: (arrival, token) => api.reserve(seatOf(arrival), token),
  payment: (arrival, token, reservationIds) => {
    if (arrival >= PREPARED_PAYMENTS) exec.test.abort('all that was held is paid');
    const reservationId = Number(reservationIds.slice(arrival * ID_WIDTH, (arrival + 1) * ID_WIDTH));
    return api.pay({ reservationId, userId: 10000 + (arrival % USERS), paymentAmount: PRICE }, token);
  },
};

export function warmUp() {
  api.queue();
}

export default function ({ tokens, reservationIds }) {
  const arrival = exec.scenario.iterationInTest;
  if (arrival === 0) startedAt.add(exec.scenario.startTime);
  const step = Math.floor((Date.now() - exec.scenario.startTime) / 1000 / STEP_SECONDS);
  exec.vu.metrics.tags.step = String(Math.min(step, RATES.length - 1));
  check(one[API](arrival, tokens[arrival % USERS], reservationIds), { 'done, not refused': (r) => r.status === 200 });
}
