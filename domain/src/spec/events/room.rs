//! Makers of events of the waiting room.

use super::cast::{ROOM, SALE_T0, fixed_hash, seed, token_hash, token_id};
use crate::event::{
    Event, ExpiryCause, RoomConfigured, RoomLeft, SalePaused, SaleResumed, TokenAdmitted, TokenArrived, TokenExpired,
    TokenGranted, TokenIssued,
};
use crate::limits::{ACTIVE_SECONDS, GRANTED_SECONDS, WAITING_SECONDS};
use crate::spec::T0;
use crate::values::UserId;

fn configured(capacity: u64, admissions_per_second: Option<u32>) -> RoomConfigured {
    RoomConfigured {
        room_id: ROOM,
        capacity,
        admissions_per_second,
        configured_at: T0,
        arrival_seconds: None,
        reason: None,
    }
}

/// The room has `capacity` slots and no pace.
pub fn room(capacity: u64) -> Event {
    configured(capacity, None).into()
}

/// The room admits `pace` in a second.
pub fn paced_room(capacity: u64, pace: u32) -> Event {
    configured(capacity, Some(pace)).into()
}

/// Admitted users have `seconds` to arrive.
pub fn room_with_arrival(capacity: u64, seconds: u32) -> Event {
    RoomConfigured { arrival_seconds: Some(seconds), ..configured(capacity, None) }.into()
}

fn issued(user_id: UserId, number: u64, admitted: bool) -> Event {
    Event::from(TokenIssued {
        token_id: token_id(number),
        user_id,
        room_id: ROOM,
        token_hash: token_hash(user_id),
        seed: seed(user_id),
        queue_number: number,
        admitted,
        issued_at: T0,
        expires_at: SALE_T0.plus_seconds(if admitted { ACTIVE_SECONDS } else { WAITING_SECONDS }),
    })
}

/// Token `number` with that place in line is active at once.
pub fn admitted(user_id: UserId, number: u64) -> Event {
    issued(user_id, number, true)
}

/// Token `number` waits at that place in line.
pub fn waiting(user_id: UserId, number: u64) -> Event {
    issued(user_id, number, false)
}

/// Token `number` comes in from its place in line.
pub fn let_in(user_id: UserId, number: u64) -> Event {
    let expires_at = SALE_T0.plus_seconds(ACTIVE_SECONDS);
    let token_id = token_id(number);
    Event::from(TokenAdmitted { token_id, user_id, room_id: ROOM, queue_number: number, admitted_at: T0, expires_at })
}

/// Token `number`, let in at [`T0`], has its user there.
pub fn arrived(user_id: UserId, number: u64) -> Event {
    Event::from(TokenArrived {
        token_id: token_id(number),
        user_id,
        room_id: ROOM,
        seed: seed(user_id),
        queue_number: number,
        issued_at: T0,
        arrived_at: T0,
        expires_at: SALE_T0.plus_seconds(ACTIVE_SECONDS),
    })
}

/// Token `number` is over.
pub fn expired(user_id: UserId, number: u64) -> Event {
    Event::from(TokenExpired {
        token_id: token_id(number),
        user_id,
        room_id: ROOM,
        expired_at: T0,
        cause: ExpiryCause::Deadline,
        reason: None,
    })
}

/// Token `number` is ended by an operator.
pub fn expelled(user_id: UserId, number: u64) -> Event {
    let (cause, reason) = (ExpiryCause::Expulsion, Some("a script".to_owned()));
    TokenExpired { token_id: token_id(number), user_id, room_id: ROOM, expired_at: T0, cause, reason }.into()
}

/// The token with that place in line is given up; 0 is the fixed token, which is the cast's first or that user's.
pub fn left(user_id: UserId, queue_number: u64) -> Event {
    let fixed = queue_number == 0;
    let number = if fixed { user_id.get() } else { queue_number };
    Event::from(RoomLeft {
        token_id: token_id(number),
        user_id,
        room_id: ROOM,
        seed: (!fixed).then(|| seed(user_id)),
        queue_number,
        issued_at: T0,
        left_at: T0,
    })
}

/// The fixed token is active, as token `number`, in place of another.
pub fn granted(user_id: UserId, number: u64, replaced: Option<u64>) -> Event {
    Event::from(TokenGranted {
        token_id: token_id(number),
        user_id,
        room_id: ROOM,
        token_hash: fixed_hash(user_id),
        replaced_token_id: replaced.map(token_id),
        granted_at: T0,
        expires_at: SALE_T0.plus_seconds(GRANTED_SECONDS),
    })
}

/// The sale is paused. With `resumes` the pause ends automatically, so many seconds after [`T0`].
pub fn paused(resumes: Option<i64>) -> Event {
    let (reason, resumes_at) = ("rain".to_owned(), resumes.map(|seconds| T0.plus_seconds(seconds)));
    SalePaused { room_id: ROOM, reason, resumes_at, paused_at: T0 }.into()
}

/// An operator lets the sale go on, so many seconds after [`T0`].
pub fn resumed(seconds: i64) -> Event {
    let reason = Some("the sun is out".to_owned());
    SaleResumed { room_id: ROOM, reason, resumed_at: T0.plus_seconds(seconds) }.into()
}

/// The pause ended automatically, so many seconds after [`T0`].
pub fn resumed_by_itself(seconds: i64) -> Event {
    SaleResumed { room_id: ROOM, reason: None, resumed_at: T0.plus_seconds(seconds) }.into()
}
