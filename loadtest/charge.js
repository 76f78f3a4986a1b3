// Points come in: 10 at a time for 5 s, 1,000 points each. The balance grows by exactly what was answered.
import { check, fail } from 'k6';
import { Counter } from 'k6/metrics';
import { FIXED_TOKENS, balance, charge } from './lib/api.js';

const AMOUNT = 1000;
const charged = new Counter('charges_answered');

export const options = {
  vus: 10,
  duration: '5s',
  thresholds: { http_req_duration: ['p(95)<200'], http_req_failed: ['rate==0'], checks: ['rate==1'] },
};

export function setup() {
  return { before: balance(1, FIXED_TOKENS[1]).json('balance') };
}

export default function () {
  const answer = charge(1, AMOUNT, FIXED_TOKENS[1]);
  if (answer.status === 200) charged.add(1);
  check(answer, { 'the amount is charged': (r) => r.status === 200 && r.json('chargedAmount') === AMOUNT });
}

export function teardown({ before }) {
  const grown = balance(1, FIXED_TOKENS[1]).json('balance') - before;
  console.log(`balance_grown=${grown}`);
  if (grown % AMOUNT !== 0) fail(`the balance grew by ${grown}`);
}

export function handleSummary(data) {
  const answers = data.metrics.charges_answered ? data.metrics.charges_answered.values.count : 0;
  const summary = { [__ENV.SUMMARY || 'charge-summary.json']: JSON.stringify({ ...data, charges_answered: answers }) };
  return { ...summary, stdout: `charges answered: ${answers}, points: ${answers * AMOUNT}\n` };
}
