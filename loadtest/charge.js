// Points come in: 10 at a time for 5 s, 1,000 points each, all to one wallet. It grows by exactly what was answered.
import { check } from 'k6';
import { Counter } from 'k6/metrics';
import { FIXED_TOKENS, api } from './lib/api.js';

const AMOUNT = 1000;
const charged = new Counter('points_charged');
const grown = new Counter('balance_growth');

export const options = {
  vus: 10,
  duration: '5s',
  thresholds: { 'http_req_duration{name:charge}': ['p(95)<200'], http_req_failed: ['rate==0'], checks: ['rate==1'] },
};

export function setup() {
  return { before: api.balance(1, FIXED_TOKENS[1]).json('balance') };
}

export default function () {
  const answer = api.charge(1, AMOUNT, FIXED_TOKENS[1]);
  if (answer.status === 200) charged.add(AMOUNT);
  check(answer, { 'the amount is charged': (r) => r.status === 200 && r.json('chargedAmount') === AMOUNT });
}

export function teardown({ before }) {
  grown.add(api.balance(1, FIXED_TOKENS[1]).json('balance') - before);
}
