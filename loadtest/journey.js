// Whole purchases: people arrive faster and faster, get a token, choose, hold, charge and pay. Some leave, some give their
// seat back, some walk away with it, some pay late, and some so late that their hold of five minutes is over.
import { check, sleep } from 'k6';
import exec from 'k6/execution';
import { Counter, Rate } from 'k6/metrics';
import { keyed as api } from './lib/api.js';

const STEPS = ['token', 'seats', 'reservation', 'charge', 'payment'];
// The last five schedules are for those who pay too late, so that their seats are theirs alone to lose.
const SCHEDULES = 295;
const HOLD_SECONDS = 300;
const LATE_SECONDS = 20;
const TOO_LATE = 20;

const bought = new Counter('purchases');
const points = new Counter('points_paid');
const left = new Counter('left_before_choosing');
const cancelled = new Counter('holds_cancelled');
const walkedAway = new Counter('holds_walked_away_from');
const paidLate = new Counter('paid_late');
const tooLate = new Counter('paid_too_late');
const conversion = new Rate('conversion');

export const options = {
  scenarios: {
    journey: {
      executor: 'ramping-arrival-rate',
      startRate: 5,
      timeUnit: '1s',
      preAllocatedVUs: 400,
      stages: [
        { target: 30, duration: '60s' },
        { target: 30, duration: '150s' },
        { target: 100, duration: '60s' },
        { target: 0, duration: '20s' },
      ],
    },
    too_late: { executor: 'per-vu-iterations', vus: TOO_LATE, iterations: 1, exec: 'payTooLate', maxDuration: '6m' },
  },
  thresholds: {
    ...Object.fromEntries(STEPS.map((step) => [`http_req_duration{name:${step}}`, ['p(95)<200']])),
    http_req_failed: ['rate<0.01'],
    checks: ['rate==1'],
    dropped_iterations: ['count==0'],
    conversion: ['rate>0.5'],
    left_before_choosing: ['count>0'],
    holds_cancelled: ['count>0'],
    holds_walked_away_from: ['count>0'],
    paid_late: ['count>0'],
    paid_too_late: [`count==${TOO_LATE}`],
  },
};

const oneOf = (list) => list[Math.floor(Math.random() * list.length)];

// A token, and what is free.
function arrive(userId, scheduleId) {
  const issued = api.issueToken(userId);
  if (!check(issued, { 'let in at once': (r) => r.status === 200 && r.json('status') === 'ACTIVE' })) return { free: [] };
  const token = issued.json('token');
  const listed = api.seats(1, scheduleId, token);
  return { token, free: check(listed, { 'seats are listed': (r) => r.status === 200 }) ? listed.json() : [] };
}

export default function () {
  conversion.add(journey(exec.scenario.iterationInTest));
}

// Whether a seat was bought.
function journey(person) {
  const userId = 100000 + person;
  const scheduleId = 1 + (person % SCHEDULES);
  const { token, free } = arrive(userId, scheduleId);
  const mood = Math.random();
  if (free.length === 0 || mood < 0.1) {
    if (token) api.leave(token);
    left.add(1);
    return false;
  }
  sleep(Math.random());
  const { seatId, price } = oneOf(free);
  const held = api.reserve({ concertId: 1, scheduleId, userId, seatId }, token);
  check(held, { 'held, or taken by another': (r) => r.status === 200 || r.json('code') === 'seat-taken' });
  if (held.status !== 200) return false;
  const reservationId = held.json('reservationId');
  if (mood < 0.15) {
    check(api.cancel(reservationId, token), { 'given back': (r) => r.status === 200 });
    cancelled.add(1);
    return false;
  }
  if (mood < 0.2) {
    walkedAway.add(1);
    return false;
  }
  check(api.charge(userId, price, token), { charged: (r) => r.status === 200 });
  const late = mood < 0.22;
  sleep(late ? LATE_SECONDS : Math.random());
  const paid = api.pay({ reservationId, userId, paymentAmount: price }, token);
  if (!check(paid, { 'paid in full': (r) => r.status === 200 && r.json('currentBalance') === 0 })) return false;
  if (late) paidLate.add(1);
  bought.add(1);
  points.add(price);
  return true;
}

// Holds at the beginning, and pays when the hold is over.
export function payTooLate() {
  const userId = 90000 + exec.scenario.iterationInTest;
  const scheduleId = SCHEDULES + 1 + (userId % 5);
  const { token, free } = arrive(userId, scheduleId);
  const { seatId, price } = free[Math.floor(exec.scenario.iterationInTest / 5)];
  const held = api.reserve({ concertId: 1, scheduleId, userId, seatId }, token);
  check(held, { 'a seat of one\'s own is held': (r) => r.status === 200 });
  api.charge(userId, price, token);
  sleep(HOLD_SECONDS + 1);
  const paid = api.pay({ reservationId: held.json('reservationId'), userId, paymentAmount: price }, token);
  if (check(paid, { 'a hold that is over is not paid': (r) => r.json('code') === 'hold-expired' })) tooLate.add(1);
}
