// Everyone at once: 20,000 people for 15,000 seats (schedules 1 to 300 of concert 1) through a room of 1,000.
// Start the server with --capacity 1000. Who waits polls /api/queue, as a good client does.
import { check, sleep } from 'k6';
import exec from 'k6/execution';
import { Counter } from 'k6/metrics';
import { charge, enter, leave, pay, reserve, seats } from './lib/api.js';

const PEOPLE = Number(__ENV.PEOPLE || 20000);
const SCHEDULES = 300;
const sold = new Counter('seats_sold');
const without = new Counter('people_without_a_seat');

export const options = {
  scenarios: { rush: { executor: 'shared-iterations', vus: 2000, iterations: PEOPLE, maxDuration: '15m' } },
  thresholds: {
    http_req_failed: ['rate<0.01'],
    checks: ['rate==1'],
    seats_sold: [`count==${Math.min(PEOPLE, SCHEDULES * 50)}`],
  },
};

export default function () {
  const person = exec.scenario.iterationInTest;
  const userId = 500000 + person;
  const token = enter(userId, sleep);
  if (!check(token, { 'everyone is let in': (t) => t !== null })) return;
  // Each looks at one schedule after the other until a seat can be had.
  for (let tried = 0; tried < SCHEDULES; tried += 1) {
    const scheduleId = 1 + ((person + tried) % SCHEDULES);
    const free = seats(1, scheduleId, token).json();
    while (free.length > 0) {
      const [{ seatId, price }] = free.splice(Math.floor(Math.random() * free.length), 1);
      const held = reserve({ concertId: 1, scheduleId, userId, seatId }, token);
      if (held.status !== 200) continue;
      charge(userId, price, token);
      const paid = pay({ reservationId: held.json('reservationId'), userId, paymentAmount: price }, token);
      check(paid, { 'a seat in hand is paid': (r) => r.status === 200 });
      sold.add(1);
      return;
    }
  }
  without.add(1);
  leave(token);
}
