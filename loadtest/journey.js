// Whole purchases: people arrive faster and faster, wait, choose, hold, charge and pay. Some leave, some pay late.
import { check, sleep } from 'k6';
import exec from 'k6/execution';
import { Counter, Rate } from 'k6/metrics';
import { charge, enter, leave, pay, reserve, seats } from './lib/api.js';

const bought = new Counter('purchases');
const conversion = new Rate('conversion');

export const options = {
  scenarios: {
    journey: {
      executor: 'ramping-arrival-rate', startRate: 5, timeUnit: '1s', preAllocatedVUs: 300,
      stages: [{ target: 50, duration: '20s' }, { target: 100, duration: '20s' }, { target: 0, duration: '5s' }],
    },
  },
  thresholds: {
    ...Object.fromEntries(['token', 'seats', 'reservation', 'charge', 'payment'].map((step) => [`http_req_duration{name:${step}}`, ['p(95)<200']])),
    http_req_failed: ['rate<0.01'],
    checks: ['rate==1'],
  },
};

export default function () {
  const userId = 100000 + exec.scenario.iterationInTest;
  const scheduleId = 1 + (userId % 295);
  const token = enter(userId, sleep);
  if (!token) return conversion.add(false);
  const listed = seats(1, scheduleId, token);
  if (!check(listed, { 'seats are listed': (r) => r.status === 200 })) return conversion.add(false);
  const free = listed.json();
  if (free.length === 0 || Math.random() < 0.1) {
    leave(token);
    return conversion.add(false);
  }
  sleep(Math.random());
  const { seatId, price } = free[Math.floor(Math.random() * free.length)];
  const held = reserve({ concertId: 1, scheduleId, userId, seatId }, token);
  check(held, { 'held, or taken by another': (r) => r.status === 200 || r.json('code') === 'seat-taken' });
  if (held.status !== 200) return conversion.add(false);
  check(charge(userId, price, token), { charged: (r) => r.status === 200 });
  sleep(Math.random() < 0.1 ? 3 : Math.random());
  const paid = pay({ reservationId: held.json('reservationId'), userId, paymentAmount: price }, token);
  check(paid, { 'paid in full': (r) => r.status === 200 && r.json('currentBalance') === 0 });
  conversion.add(paid.status === 200);
  if (paid.status === 200) bought.add(1);
}
