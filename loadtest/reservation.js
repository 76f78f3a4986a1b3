// One seat: 50 people at once want seat 33 of schedule 296. With USERS=1 it is one person who asks 50 times.
import { check } from 'k6';
import exec from 'k6/execution';
import { Counter } from 'k6/metrics';
import { FIXED_TOKENS, api } from './lib/api.js';

const USERS = Number(__ENV.USERS || 50);
const won = new Counter('answered_held');
const lost = new Counter('answered_taken');

export const options = {
  scenarios: { reservation: { executor: 'shared-iterations', vus: 50, iterations: 50 } },
  thresholds: {
    'http_req_duration{name:reservation}': ['p(95)<500'],
    http_req_failed: ['rate==0'],
    checks: ['rate==1'],
    answered_held: [`count==${USERS === 1 ? 50 : 1}`],
    answered_taken: [`count==${USERS === 1 ? 0 : 49}`],
  },
};

export function setup() {
  if (USERS === 1) return [{ userId: 1, token: FIXED_TOKENS[1] }];
  return Array.from({ length: USERS }, (_, index) => {
    const userId = 1001 + index;
    return { userId, token: api.issueToken(userId).json('token') };
  });
}

export default function (people) {
  const { userId, token } = people[exec.scenario.iterationInTest % people.length];
  const answer = api.reserve({ concertId: 1, scheduleId: 296, userId, seatId: 33 }, token);
  if (answer.status === 200) won.add(1);
  if (answer.status === 409) lost.add(1);
  check(answer, {
    'held, or taken by another': (r) => r.status === 200 || r.json('code') === 'seat-taken',
  });
}
