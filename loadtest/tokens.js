// People join: 100 at a time for 30 s, user ids drawn from 1..3000, a second's pause after each.
import { check, sleep } from 'k6';
import { Counter } from 'k6/metrics';
import { FIXED_TOKENS, api } from './lib/api.js';

// Every other token that was answered is an event in the log.
const askedForFixed = Object.fromEntries(Object.keys(FIXED_TOKENS).map((id) => [id, new Counter(`fixed_token_${id}`)]));

export const options = {
  vus: 100,
  duration: '30s',
  thresholds: { http_req_duration: ['p(95)<200'], http_req_failed: ['rate<0.01'], checks: ['rate==1'] },
};

export default function () {
  const userId = 1 + Math.floor(Math.random() * 3000);
  const answer = api.issueToken(userId);
  check(answer, {
    'a token is answered': (r) => r.status === 200 && r.json('userId') === userId && r.json('token').length === 36,
  });
  if (userId in askedForFixed) askedForFixed[userId].add(1);
  sleep(1);
}
