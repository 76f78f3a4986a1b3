// A seat list is read: 50 arrivals a second for 5 s, a second's pause after each.
import { check, sleep } from 'k6';
import { FIXED_TOKENS, api } from './lib/api.js';

export const options = {
  scenarios: {
    seats: { executor: 'constant-arrival-rate', rate: 50, timeUnit: '1s', duration: '5s', preAllocatedVUs: 100 },
  },
  thresholds: {
    http_req_duration: ['p(95)<200'],
    http_req_failed: ['rate<0.01'],
    checks: ['rate==1'],
    dropped_iterations: ['count==0'],
  },
};

export default function () {
  check(api.seats(1, 296, FIXED_TOKENS[1]), { 'seats are listed': (r) => r.status === 200 && r.json().length > 0 });
  sleep(1);
}
