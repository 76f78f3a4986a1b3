// People join: 100 at a time for 30 s, user ids drawn from 1..3000, a second's pause after each.
import { check, sleep } from 'k6';
import { issueToken } from './lib/api.js';

export const options = {
  vus: 100,
  duration: '30s',
  thresholds: { http_req_duration: ['p(95)<200'], http_req_failed: ['rate<0.01'], checks: ['rate==1'] },
};

export default function () {
  const userId = 1 + Math.floor(Math.random() * 3000);
  const answer = issueToken(userId);
  check(answer, {
    'a token is answered': (r) => r.status === 200 && r.json('userId') === userId && r.json('token').length === 36,
  });
  sleep(1);
}
