//! The server's metrics, for Prometheus. All names and meanings are here. Numbers are counted where they arise.
//! `api/shared/metrics.rs` reads the gauges that are set only on request.

mod process;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use axum::http::StatusCode;
use metrics::{Counter, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use crate::log::AppendError;

/// HTTP requests, by `method`, `route` and `status`.
pub const HTTP_REQUESTS: &str = "reprise_http_requests_total";
/// The time from a request's head to its answer, by `route`.
pub const HTTP_SECONDS: &str = "reprise_http_request_duration_seconds";
/// Commands, by `kind` and `outcome`. A command refused because of overload has the outcome `overloaded`.
pub const COMMANDS: &str = "reprise_commands_total";
/// Commands in a batch.
pub const BATCH_COMMANDS: &str = "reprise_batch_commands";
/// Records in a batch.
pub const BATCH_RECORDS: &str = "reprise_batch_records";
/// The time of deciding a batch.
pub const DECIDE_SECONDS: &str = "reprise_batch_decide_duration_seconds";
/// The time of appending a batch, until it is durable or has failed.
pub const APPEND_SECONDS: &str = "reprise_batch_append_duration_seconds";
/// Lines for standard error that were dropped, because nobody read them.
pub const LINES_LOST: &str = "reprise_lines_lost_total";
/// Appends that did not succeed at once, by `why`.
pub const APPEND_FAILURES: &str = "reprise_append_failures_total";

/// Commands that wait, by `lane`.
pub const LANE_LENGTH: &str = "reprise_lane_length";
/// The position of the last event that queries see.
pub const LOG_POSITION: &str = "reprise_log_position";
/// 1 while commands can be taken.
pub const READY: &str = "reprise_ready";
/// Streams that are open.
pub const STREAMS: &str = "reprise_streams";
/// Tokens in line.
pub const ROOM_WAITING: &str = "reprise_room_waiting";
/// Tokens that take a slot.
pub const ROOM_ACTIVE: &str = "reprise_room_active";
/// Slots of the room.
pub const ROOM_CAPACITY: &str = "reprise_room_capacity";
/// The room's serving number.
pub const ROOM_ADMITTED: &str = "reprise_room_admitted_total";
/// Events that a read model in SQL does not have yet, by `projection`.
pub const PROJECTION_LAG_EVENTS: &str = "reprise_projection_lag_events";
/// The age of the first of these events, by `projection`.
pub const PROJECTION_LAG_SECONDS: &str = "reprise_projection_lag_seconds";

/// Upper bounds of durations: from a memory access to the command deadline.
const SECONDS: [f64; 16] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 1.0, 2.5, 5.0];
/// Upper bounds of a batch's size.
const SIZES: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0];
/// Kinds of commands that clients send. They are refused under overload.
const SHED_KINDS: [&str; 6] =
    ["issue-token", "leave-room", "charge-points", "hold-seats", "cancel-reservation", "pay-reservation"];
/// How often counted values are aggregated, also if nobody reads them.
const UPKEEP: Duration = Duration::from_secs(1);

static COLLECTED: OnceLock<PrometheusHandle> = OnceLock::new();

/// The handles of one route's metrics.
struct CountedRoute {
    seconds: Histogram,
    requests: Known<(&'static str, StatusCode), Counter>,
}

/// A small cache of handles: finding one by its name and labels costs more than counting.
struct Known<Key, Handle>(Vec<(Key, Handle)>);

impl<Key: PartialEq, Handle> Known<Key, Handle> {
    fn get(&mut self, key: Key, find: impl FnOnce(&Key) -> Handle) -> &Handle {
        let index = self.0.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
            let handle = find(&key);
            self.0.push((key, handle));
            self.0.len() - 1
        });
        &self.0[index].1
    }
}

thread_local! {
    static ROUTES: RefCell<HashMap<&'static str, CountedRoute>> = RefCell::default();
    static KNOWN_COMMANDS: RefCell<Known<(&'static str, &'static str), Counter>> = const { RefCell::new(Known(Vec::new())) };
}

/// Counts an answered request. There must be only few different methods and statuses, whatever clients send.
pub fn count_request(method: &'static str, route: &'static str, status: StatusCode, took: Duration) {
    ROUTES.with_borrow_mut(|routes| {
        let counted = routes.entry(route).or_insert_with(|| CountedRoute {
            seconds: histogram!(HTTP_SECONDS, "route" => route),
            requests: Known(Vec::new()),
        });
        counted.seconds.record(took);
        let requests = counted.requests.get(
            (method, status),
            |_| counter!(HTTP_REQUESTS, "method" => method, "route" => route, "status" => status.as_str().to_owned()),
        );
        requests.increment(1);
    });
}

/// Counts a command that was answered or refused.
pub fn count_command(kind: &'static str, outcome: &'static str) {
    KNOWN_COMMANDS.with_borrow_mut(|commands| {
        commands.get((kind, outcome), |_| counter!(COMMANDS, "kind" => kind, "outcome" => outcome)).increment(1);
    });
}

/// Starts counting. It must be called once in a process, inside the runtime.
///
/// # Errors
/// Another recorder is installed already.
pub fn install() -> Result<(), BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Full(BATCH_COMMANDS.to_owned()), &SIZES)?
        .set_buckets_for_metric(Matcher::Full(BATCH_RECORDS.to_owned()), &SIZES)?
        .install_recorder()?;
    describe();
    begin_at_zero();
    let upkeep = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            upkeep.run_upkeep();
        }
    });
    let _ = COLLECTED.set(handle);
    Ok(())
}

/// Sets rare counters to 0 at the start: otherwise Prometheus would not see the first increase.
fn begin_at_zero() {
    for why in AppendError::NAMES {
        counter!(APPEND_FAILURES, "why" => why).increment(0);
    }
    for kind in SHED_KINDS {
        counter!(COMMANDS, "kind" => kind, "outcome" => "overloaded").increment(0);
    }
}

fn describe() {
    describe_counter!(HTTP_REQUESTS, "HTTP requests answered, by method, route and status");
    describe_histogram!(HTTP_SECONDS, Unit::Seconds, "From a request's head to its answer");
    describe_counter!(
        COMMANDS,
        "Commands answered, by kind; a command that was refused because too many wait has the outcome overloaded"
    );
    describe_histogram!(BATCH_COMMANDS, "Commands decided in one batch");
    describe_histogram!(BATCH_RECORDS, "Records appended in one batch");
    describe_histogram!(DECIDE_SECONDS, Unit::Seconds, "Deciding one batch");
    describe_histogram!(APPEND_SECONDS, Unit::Seconds, "Appending one batch, until it is durable or has failed");
    describe_counter!(APPEND_FAILURES, "Appends that did not succeed: conflict, unknown, unavailable, full, broken");
    describe_gauge!(LANE_LENGTH, "Commands that wait in a lane (a queue of commands)");
    describe_gauge!(LOG_POSITION, "The position of the last event that queries see");
    describe_counter!(LINES_LOST, "Lines for standard error that were lost because the reader was too slow");
    describe_gauge!(READY, "1 while the server takes commands, else 0");
    describe_gauge!(STREAMS, "Open streams");
    describe_gauge!(ROOM_WAITING, "Tokens in line");
    describe_gauge!(ROOM_ACTIVE, "ACTIVE tokens, which take a slot");
    describe_gauge!(ROOM_CAPACITY, "Slots of the room");
    describe_counter!(ROOM_ADMITTED, "Places in line that were admitted: the room's serving number");
    describe_gauge!(PROJECTION_LAG_EVENTS, "Events that a read model in SQL does not have yet");
    describe_gauge!(
        PROJECTION_LAG_SECONDS,
        Unit::Seconds,
        "The age of the oldest event that the read model does not have yet"
    );
    process::describe();
}

/// All metrics in Prometheus' text format. Empty if nothing counts.
pub fn collected() -> String {
    process::collect();
    COLLECTED.get().map(PrometheusHandle::render).unwrap_or_default()
}
