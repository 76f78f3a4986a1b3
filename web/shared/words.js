// Every word that a page says, in English and Korean, by the browser's language. A problem of the contract has its words
// here too, under its code.

/** @type {Record<string, [english: string, korean: string]>} */
export const WORDS = {
  title: ["Reprise tickets", "리프라이즈 예매"],
  skip: ["Skip to content", "본문으로 건너뛰기"],
  concerts: ["Concerts", "공연"],
  noConcerts: ["No concert is on sale here yet.", "아직 판매 중인 공연이 없습니다."],
  myTickets: ["My tickets", "내 예매"],
  points: ["Points", "포인트"],
  back: ["Back", "뒤로"],
  dates: ["Dates", "날짜"],
  noDates: ["This concert has no dates yet.", "아직 날짜가 정해지지 않았습니다."],
  moreDates: ["Show all {count} dates", "날짜 {count}개 모두 보기"],
  seatsLeft: ["{available} of {total} seats free", "{total}석 중 {available}석 남음"],
  soldOut: ["Sold out", "매진"],
  calledOff: ["This show is called off.", "공연이 취소되었습니다."],
  saleOpens: ["The sale opens {when}.", "{when}에 판매를 시작합니다."],
  saleClosed: ["The sale has ended.", "판매가 끝났습니다."],
  priceRange: ["{from} to {to} points", "{from}~{to} 포인트"],
  priceOne: ["{from} points", "{from} 포인트"],
  join: ["Join", "줄 서기"],
  joinHint: ["Join the line. When it is your turn, you choose seats for up to ten minutes.", "줄을 서면 차례가 왔을 때 10분 동안 좌석을 고를 수 있습니다."],
  signInFailed: ["The sign-in did not work: {reason}. Join to try again.", "로그인하지 못했습니다: {reason}. 다시 시도해 주세요."],
  providerAway: ["the sign-in service cannot be reached", "로그인 서비스에 연결할 수 없습니다"],
  answerForged: ["the answer is none that this page asked for", "이 페이지가 요청한 응답이 아닙니다"],
  noToken: ["the sign-in service gave no token", "로그인 서비스가 토큰을 주지 않았습니다"],
  noLogin: ["This sale needs a sign-in, but none is set up for this page. Ask the organiser.", "이 판매에는 로그인이 필요하지만 설정되지 않았습니다. 운영자에게 문의하세요."],
  inLine: ["You are in line", "대기 중입니다"],
  ahead: ["People ahead of you: {ahead}", "앞에 {ahead}명"],
  queueNumber: ["Your number: {number}", "내 번호: {number}"],
  estimate: ["Expected wait: {time}", "예상 대기: {time}"],
  aboutMinutes: ["about {minutes} minutes", "약 {minutes}분"],
  aboutAMinute: ["a minute or less", "1분 이내"],
  estimateUnknown: ["The wait cannot be told yet.", "아직 대기 시간을 알 수 없습니다."],
  keepOpen: ["This page updates automatically. You may close it and come back: your place is kept.", "이 페이지는 자동으로 갱신됩니다. 닫았다가 돌아와도 순서가 유지됩니다."],
  leave: ["Leave the line", "줄에서 나가기"],
  leaveRoom: ["Give up my turn", "차례 포기하기"],
  announced: ["The sale opens {when}, by a draw. Join from {from} on to take part.", "{when}에 추첨으로 판매를 시작합니다. {from}부터 줄을 서면 참여할 수 있습니다."],
  prequeue: ["The sale opens {when}", "{when}에 판매를 시작합니다"],
  opensIn: ["Everyone who joins before then takes part in one draw; nobody gains by being first.", "그 전에 온 사람은 모두 추첨에 참여하며, 빨리 와도 유리하지 않습니다."],
  entrant: ["You take part in the draw. Your entry: {entrant}", "추첨에 참여합니다. 참가 번호: {entrant}"],
  drawWaits: ["The entries are closed. The draw is coming.", "접수가 끝났습니다. 곧 추첨합니다."],
  drawWaitsFor: ["The entries are closed. The draw waits for: {source}.", "접수가 끝났습니다. 추첨은 {source} 값을 기다립니다."],
  insideMustLeave: ["You are inside already. To take part in the draw, give up your turn and join again.", "이미 입장해 있습니다. 추첨에 참여하려면 나갔다가 다시 줄을 서세요."],
  checkPlace: ["Check my place", "내 순서 확인하기"],
  placeRight: ["Your place is right: entry {entrant} has number {number}, computed here from the published seed.", "순서가 맞습니다: 참가 번호 {entrant}의 번호는 {number}입니다. 공개된 시드로 여기서 계산했습니다."],
  placeWrong: ["Your place is not what the draw gives: {number} was computed. Keep this page, and tell the organiser.", "추첨 결과와 다릅니다: 계산값 {number}. 이 화면을 보관하고 운영자에게 알려 주세요."],
  cannotProve: ["This check needs https or this very machine: the browser computes no hashes elsewhere.", "이 확인은 https에서만 할 수 있습니다."],
  paused: ["The sale is paused", "판매가 일시 중지되었습니다"],
  pausedReason: ["Reason: {reason}", "이유: {reason}"],
  resumesAt: ["It goes on {when}.", "{when}에 다시 시작합니다."],
  resumesLater: ["It goes on soon. Your place and your time are kept.", "곧 다시 시작합니다. 순서와 시간은 그대로 유지됩니다."],
  yourTurn: ["It is your turn", "입장했습니다"],
  timeToChoose: ["Time to choose:", "남은 선택 시간:"],
  best: ["{count} best", "추천 {count}석"],
  bestTitle: ["The best free seats, next to each other", "나란히 앉는 추천 좌석"],
  bestIn: ["Section", "구역"],
  anywhere: ["any section", "전체 구역"],
  sections: ["Sections", "구역"],
  sectionFree: ["{free} free, {price}", "{free}석, {price}"],
  row: ["Row {row}", "{row}열"],
  rowFree: ["{free} free", "{free}석"],
  seat: ["Seat {name}", "좌석 {name}"],
  allSections: ["All sections", "전체 구역 보기"],
  allRows: ["All rows", "전체 열 보기"],
  noneFree: ["No seat is free here now.", "지금은 남은 좌석이 없습니다."],
  seatMap: ["Seat map", "좌석 배치도"],
  mapHelp: ["The list beside this map can do all that the map can.", "배치도로 하는 일은 모두 목록에서도 할 수 있습니다."],
  zoomIn: ["Zoom in", "확대"],
  zoomOut: ["Zoom out", "축소"],
  wholeHouse: ["Whole house", "전체 보기"],
  legendFree: ["free", "선택 가능"],
  legendChosen: ["chosen", "선택함"],
  legendTaken: ["taken", "판매됨"],
  chosen: ["Chosen: {names}", "선택한 좌석: {names}"],
  nothingChosen: ["No seat is chosen. You may choose up to {limit}.", "선택한 좌석이 없습니다. 최대 {limit}석까지 고를 수 있습니다."],
  limitReached: ["You have chosen {limit}, which is the most.", "최대 {limit}석까지 고를 수 있습니다."],
  wasTaken: ["{names} was just taken by somebody else.", "{names} 좌석이 방금 판매되었습니다."],
  remove: ["Remove {name}", "{name} 빼기"],
  holdFor: ["Hold, {price} points", "좌석 잡기, {price} 포인트"],
  held: ["These seats are kept for you. Time left to pay:", "좌석을 잡아 두었습니다. 남은 결제 시간:"],
  heldHere: ["You hold seats of this show: {names}. Go on to pay", "이 공연의 좌석을 잡아 두었습니다: {names}. 결제하러 가기"],
  heldTitle: ["Your hold", "잡은 좌석"],
  nextToEachOther: ["The seats are next to each other.", "좌석이 나란히 있습니다."],
  notNextToEachOther: ["The seats are not all next to each other.", "좌석이 모두 나란히 있지는 않습니다."],
  secondsLeft: ["{seconds} seconds left to pay", "결제까지 {seconds}초 남았습니다"],
  timeStands: ["The time stands still while the sale is paused.", "일시 중지 동안 시간은 흐르지 않습니다."],
  total: ["Total: {price} points", "합계: {price} 포인트"],
  yourPoints: ["Your points: {balance}", "내 포인트: {balance}"],
  missing: ["You need {missing} more points.", "{missing} 포인트가 부족합니다."],
  charge: ["Charge {amount} points", "{amount} 포인트 충전"],
  chargeByCashier: ["Points come in through the organiser's payment service. This page shows them as soon as they are there.", "포인트는 주최 측 결제 서비스로 충전됩니다. 충전되면 바로 표시됩니다."],
  pay: ["Pay {price} points", "{price} 포인트 결제"],
  extend: ["Extend by five minutes", "5분 연장"],
  cancelHold: ["Cancel this hold", "좌석 포기"],
  cancelTicket: ["Cancel and get the points back", "취소하고 환불받기"],
  sure: ["Are you sure?", "정말 취소할까요?"],
  yesCancel: ["Yes, cancel", "예, 취소합니다"],
  no: ["No", "아니요"],
  ticket: ["Your ticket", "내 티켓"],
  ticketPaid: ["Your ticket is paid. See you there!", "결제가 완료되었습니다. 공연장에서 만나요!"],
  ticketNumber: ["Ticket {id}", "티켓 {id}"],
  reservationNumber: ["Reservation {id}", "예매 {id}"],
  status: ["Status", "상태"],
  HELD: ["held", "잡음"],
  PAID: ["paid", "결제됨"],
  CANCELLED: ["cancelled", "취소됨"],
  EXPIRED: ["expired", "만료됨"],
  REFUNDED: ["refunded", "환불됨"],
  wasCancelled: ["These seats were given up.", "좌석을 포기했습니다."],
  wasExpired: ["The time to pay is over, and the seats are free again. You may choose again.", "결제 시간이 지나 좌석이 풀렸습니다. 다시 고를 수 있습니다."],
  wasRefunded: ["This ticket was refunded: {price} points came back.", "환불되었습니다: {price} 포인트가 돌아왔습니다."],
  chooseAgain: ["Choose seats", "좌석 선택"],
  noTickets: ["You have no holds and no tickets yet.", "예매 내역이 없습니다."],
  joinFirst: ["Join first: then your tickets and points are shown here.", "먼저 줄을 서면 예매와 포인트가 표시됩니다."],
  history: ["What happened to your points", "포인트 내역"],
  noHistory: ["No points have moved yet.", "포인트 내역이 없습니다."],
  CHARGE: ["Charge", "충전"],
  PAYMENT: ["Payment", "결제"],
  REFUND: ["Refund", "환불"],
  ADJUSTMENT: ["Adjustment", "조정"],
  balanceAfter: ["Balance {balance}", "잔액 {balance}"],
  record: ["Record {position}", "기록 {position}"],
  checkIt: ["Check it", "확인하기"],
  checkRecord: ["Check it: record {position}", "확인하기: 기록 {position}"],
  recordRight: ["The record is what its hash says, computed here.", "기록이 해시와 일치합니다. 여기서 계산했습니다."],
  recordWrong: ["The record is not what its hash says. Keep this page, and tell the organiser.", "기록이 해시와 다릅니다. 이 화면을 보관하고 운영자에게 알려 주세요."],
  more: ["Show more", "더 보기"],
  turnOver: ["Your turn is over. Your holds and tickets are kept; join again to choose more seats.", "차례가 끝났습니다. 잡은 좌석과 티켓은 유지됩니다. 더 고르려면 다시 줄을 서세요."],
  reconnecting: ["The connection is lost: reconnecting. Nothing of yours is lost.", "연결이 끊겼습니다. 다시 연결하는 중입니다. 잃는 것은 없습니다."],
  connected: ["Connected again.", "다시 연결되었습니다."],
  loading: ["Loading …", "불러오는 중 …"],
  notFoundPage: ["There is no such page.", "없는 페이지입니다."],
  // The contract's problems.
  unreachable: ["The server cannot be reached now. Try again in a moment.", "서버에 연결할 수 없습니다. 잠시 뒤 다시 시도해 주세요."],
  "token-missing": ["Join first.", "먼저 줄을 서 주세요."],
  "token-malformed": ["Your place cannot be read. Join again.", "대기 정보를 읽을 수 없습니다. 다시 줄을 서 주세요."],
  "token-unknown": ["Your place is not known any more. Join again.", "대기 정보가 없습니다. 다시 줄을 서 주세요."],
  "token-expired": ["Your time is over. Join again; your holds and tickets are kept.", "시간이 지났습니다. 다시 줄을 서 주세요. 잡은 좌석과 티켓은 유지됩니다."],
  "identity-missing": ["Sign in first.", "먼저 로그인해 주세요."],
  "identity-invalid": ["Your sign-in is not accepted ({reason}). Join to sign in again.", "로그인이 유효하지 않습니다({reason}). 줄을 서서 다시 로그인해 주세요."],
  "identity-unavailable": ["Sign-ins cannot be checked now. Try again in a moment.", "지금은 로그인을 확인할 수 없습니다. 잠시 뒤 다시 시도해 주세요."],
  "role-missing": ["Your role does not allow this.", "이 작업을 할 권한이 없습니다."],
  "not-admitted": ["It is not your turn yet.", "아직 차례가 아닙니다."],
  "not-yours": ["This belongs to somebody else.", "다른 사람의 것입니다."],
  "concert-not-found": ["There is no such concert.", "없는 공연입니다."],
  "schedule-not-found": ["There is no such date.", "없는 날짜입니다."],
  "seat-not-found": ["There is no such seat.", "없는 좌석입니다."],
  "zone-not-found": ["There is no such section.", "없는 구역입니다."],
  "reservation-not-found": ["There is no such reservation, or it ended more than a day ago.", "예매를 찾을 수 없습니다."],
  "record-not-found": ["There is no such record of yours.", "기록을 찾을 수 없습니다."],
  "user-not-found": ["There is no such user.", "없는 사용자입니다."],
  "projection-not-found": ["There is no such read model.", "없는 읽기 모델입니다."],
  "seat-taken": ["Somebody else was faster. Choose other seats.", "다른 사람이 먼저 선택했습니다. 다른 좌석을 골라 주세요."],
  "seat-limit-reached": ["You may have {limit} seats of this show.", "이 공연은 {limit}석까지 예매할 수 있습니다."],
  "no-seats-left": ["So many seats are not left there. Try fewer, or another section.", "남은 좌석이 부족합니다. 수를 줄이거나 다른 구역을 골라 주세요."],
  "not-together": ["So many seats are not left next to each other: {largestBlock} at most.", "나란히 남은 좌석은 최대 {largestBlock}석입니다."],
  "insufficient-points": ["You have {balance} points, and need {required}.", "포인트가 부족합니다: {balance} / {required}."],
  "amount-mismatch": ["The price is {required} points. Look again, then pay.", "가격은 {required} 포인트입니다. 다시 확인해 주세요."],
  "balance-limit-reached": ["Your wallet cannot hold that many points.", "포인트 한도를 넘습니다."],
  "reservation-not-payable": ["This reservation was cancelled or refunded.", "취소되거나 환불된 예매입니다."],
  "reservation-not-held": ["This ticket is paid. To give it back, cancel it as a ticket.", "이미 결제된 티켓입니다. 티켓 취소로 진행해 주세요."],
  "not-on-sale": ["This show is not on sale now.", "지금은 판매 중이 아닙니다."],
  "sale-paused": ["The sale is paused. Try again when it goes on.", "판매가 일시 중지되었습니다. 재개되면 다시 시도해 주세요."],
  "schedule-cancelled": ["This show is called off.", "공연이 취소되었습니다."],
  "schedule-over": ["This show is over.", "끝난 공연입니다."],
  "not-extendable": ["This hold cannot be extended now. It can be once, in its last two minutes.", "지금은 연장할 수 없습니다. 마지막 2분 동안 한 번만 연장할 수 있습니다."],
  "hold-expired": ["The time to pay is over, and the seats are free again.", "결제 시간이 지나 좌석이 풀렸습니다."],
  "room-full": ["The line is full. Try again in a moment.", "대기열이 가득 찼습니다. 잠시 뒤 다시 시도해 주세요."],
  overloaded: ["Very many people are here now. Try again in a moment.", "접속자가 매우 많습니다. 잠시 뒤 다시 시도해 주세요."],
  "rate-limited": ["That was too fast. Wait a moment.", "요청이 너무 많습니다. 잠시 기다려 주세요."],
  "log-unavailable": ["The sale cannot take orders at this moment. Try again soon.", "지금은 주문을 받을 수 없습니다. 곧 다시 시도해 주세요."],
  "read-model-behind": ["The list is being brought up to date. Try again in a moment.", "목록을 갱신하는 중입니다. 잠시 뒤 다시 시도해 주세요."],
  "outcome-unknown": ["It is not known yet whether this happened. Look at your tickets before you try again.", "처리 결과를 아직 알 수 없습니다. 내 예매를 먼저 확인해 주세요."],
  "invalid-request": ["Something in this request is not right: {detail}", "요청이 올바르지 않습니다: {detail}"],
  "opening-exists": ["An opening is announced already.", "이미 예고된 오픈이 있습니다."],
  "opening-begun": ["The pre-queue has begun: it cannot be taken back.", "사전 대기가 시작되어 취소할 수 없습니다."],
  "opening-not-found": ["No opening is announced.", "예고된 오픈이 없습니다."],
  "beacon-not-due": ["The beacon's value is not due yet.", "아직 비콘 값의 시간이 아닙니다."],
  "beacon-known": ["Another value is recorded already.", "이미 다른 값이 기록되었습니다."],
  "route-not-found": ["The server does not know this request. Load the page anew.", "서버가 모르는 요청입니다. 페이지를 새로 고쳐 주세요."],
  "method-not-allowed": ["The server does not take this request. Load the page anew.", "서버가 받지 않는 요청입니다. 페이지를 새로 고쳐 주세요."],
  "malformed-path": ["This address is not right. Go back to the concerts.", "주소가 올바르지 않습니다. 공연 목록으로 돌아가 주세요."],
  "malformed-header": ["The server could not read this request. Load the page anew.", "서버가 요청을 읽지 못했습니다. 페이지를 새로 고쳐 주세요."],
  "malformed-body": ["The server could not read this request. Load the page anew.", "서버가 요청을 읽지 못했습니다. 페이지를 새로 고쳐 주세요."],
  "body-too-large": ["This is more than the server takes at once.", "한 번에 보낼 수 있는 크기를 넘었습니다."],
  "unsupported-media-type": ["The server does not take this kind of content. Load the page anew.", "서버가 받지 않는 형식입니다. 페이지를 새로 고쳐 주세요."],
  "transfer-coding-unknown": ["Something between here and the server changed the request. Try another network.", "연결 중간에 요청이 바뀌었습니다. 다른 네트워크에서 시도해 주세요."],
  "request-timeout": ["The request did not arrive in time. Try again.", "요청이 제때 도착하지 않았습니다. 다시 시도해 주세요."],
  "idempotency-key-reused": ["This was sent with other contents before. Load the page anew, and look at your tickets.", "이미 다른 내용으로 보낸 요청입니다. 페이지를 새로 고치고 내 예매를 확인해 주세요."],
  "origin-not-allowed": ["The operators' page works only at its own address.", "운영자 페이지는 자체 주소에서만 작동합니다."],
  "host-not-allowed": ["The operators' page works only at this machine's own address, such as localhost.", "운영자 페이지는 localhost 같은 이 컴퓨터의 주소에서만 작동합니다."],
  "catalog-conflict": ["The catalogue does not fit what is on sale already: {detail}", "카탈로그가 판매 중인 내용과 맞지 않습니다: {detail}"],
  internal: ["The server made a mistake. Try again; if it stays, tell the organiser.", "서버 오류입니다. 다시 시도하고, 계속되면 운영자에게 알려 주세요."],
};

/** The language of this page: Korean where the browser prefers it. */
export const language = navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en";
const column = language === "ko" ? 1 : 0;

/** The words for `name`, with its `{members}` filled in. @param {string} name @param {Record<string, any>} [members] */
export function say(name, members = {}) {
  const words = WORDS[name]?.[column] ?? name;
  return words.replace(/\{(\w+)\}/g, (_, member) => shown(members[member]));
}

/** Whether there are words for `name`. @param {string} name */
export const knows = (name) => name in WORDS;

/** The words for what went wrong. @param {unknown} error */
export function sayProblem(error) {
  const { code, members, message } = /** @type {import("./api.js").Problem} */ (error);
  if (code && knows(code)) return say(code, members);
  return message || say("internal");
}

/** @param {any} value */
function shown(value) {
  return typeof value === "number" ? number(value) : String(value ?? "");
}

const numbers = new Intl.NumberFormat(language);
/** @param {number} value */
export const number = (value) => numbers.format(value);

const moments = new Intl.DateTimeFormat(language, {
  year: "numeric", month: "short", day: "numeric", hour: "numeric", minute: "2-digit", timeZoneName: "short",
});
/** A moment in the reader's own time zone, which is named. @param {string} at */
export const moment = (at) => moments.format(new Date(at));

/** About how long, in minutes. @param {number} seconds */
export function about(seconds) {
  const minutes = Math.ceil(seconds / 60);
  return minutes > 1 ? say("aboutMinutes", { minutes }) : say("aboutAMinute");
}

/** Minutes and seconds. @param {number} seconds */
export function time(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  const hours = Math.floor(whole / 3600);
  const [minutes, rest] = [Math.floor(whole / 60) % 60, whole % 60];
  const two = (/** @type {number} */ part) => String(part).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
