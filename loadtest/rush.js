// Everyone at once: 20,000 people for 15,000 seats (schedules 1 to 300 of concert 1) through a room of 1,000.
// Start the server with --capacity 1000. Who waits polls /api/queue, as a good client does: the nearer, the more often.
import { check } from 'k6';
import exec from 'k6/execution';
import { Counter, Trend } from 'k6/metrics';
import { setTimeout } from 'k6/timers';
import { promised } from './lib/api.js';

const PEOPLE = Number(__ENV.PEOPLE || 20000);
// One VU is many people: each of them waits, reads and buys for themselves.
const VUS = 200;
const PEOPLE_EACH = Math.ceil(PEOPLE / VUS);
const SCHEDULES = 300;
const SEATS = SCHEDULES * 50;
// Everyone comes within so many seconds.
const ARRIVING_SECONDS = 4;
const sold = new Counter('seats_sold');
const points = new Counter('points_paid');
const without = new Counter('people_without_a_seat');
const waited = new Trend('seconds_in_line');

export const options = {
  scenarios: { rush: { executor: 'per-vu-iterations', vus: VUS, iterations: 1, maxDuration: '10m' } },
  batchPerHost: PEOPLE_EACH,
  thresholds: {
    http_req_failed: ['rate<0.01'],
    checks: ['rate==1'],
    seats_sold: [`count==${Math.min(PEOPLE, SEATS)}`],
    people_without_a_seat: [`count==${Math.max(PEOPLE - SEATS, 0)}`],
    'http_reqs{name:queue}': ['count>0'],
    ...Object.fromEntries(
      ['token', 'queue', 'seats', 'reservation', 'charge', 'payment'].map((name) => [`http_req_duration{name:${name}}`, ['p(95)>=0']]),
    ),
  },
};

const oneOf = (list) => list[Math.floor(Math.random() * list.length)];
const pause = (seconds) => new Promise((resolve) => { setTimeout(resolve, seconds * 1000); });

export default async function () {
  const first = (exec.vu.idInTest - 1) * PEOPLE_EACH;
  const people = Math.max(Math.min(PEOPLE_EACH, PEOPLE - first), 0);
  await Promise.all(Array.from({ length: people }, (_, index) => come(500000 + first + index)));
}

async function come(userId) {
  await pause(Math.random() * ARRIVING_SECONDS);
  const came = Date.now();
  const token = await enter(userId);
  waited.add((Date.now() - came) / 1000);
  if (!check(token, { 'everyone is let in': (t) => t !== null })) return;
  await pause(0.5 + Math.random());
  if (await buy(userId, token)) return;
  without.add(1);
  await promised.leave(token);
}

// The user's token once it is ACTIVE. The queue is one cached answer for everyone, so that is what is polled.
async function enter(userId) {
  const issued = await promised.issueToken(userId);
  if (issued.status !== 200) return null;
  const { token, queueNumber } = issued.json();
  let { status, ahead } = issued.json();
  while (status === 'WAITING') {
    await pause(Math.min(Math.max(ahead / 500, 1), 15) * (0.75 + Math.random() / 2));
    const room = await promised.queue();
    if (room.status !== 200) continue;
    ahead = queueNumber - room.json('servingNumber');
    if (ahead > 0) continue;
    status = (await promised.myToken(token)).json('status');
  }
  return status === 'ACTIVE' ? token : null;
}

// Whether a seat could be had: first where one wants to go, then wherever seats are left.
async function buy(userId, token) {
  let scheduleId = 1 + Math.floor(Math.random() * SCHEDULES);
  while (scheduleId !== undefined) {
    const free = (await promised.seats(1, scheduleId, token)).json();
    while (free.length > 0) {
      const [{ seatId, price }] = free.splice(Math.floor(Math.random() * free.length), 1);
      const held = await promised.reserve({ concertId: 1, scheduleId, userId, seatId }, token);
      if (held.status !== 200) continue;
      await promised.charge(userId, price, token);
      const paid = await promised.pay({ reservationId: held.json('reservationId'), userId, paymentAmount: price }, token);
      check(paid, { 'a seat in hand is paid': (r) => r.status === 200 });
      sold.add(1);
      points.add(price);
      return true;
    }
    scheduleId = oneOf((await promised.dates(1)).json('#(seatsAvailable>0)#.concertScheduleId'));
  }
  return false;
}
