//! Each model's fold, from events to rows, in chunks of any size.

mod versions;

use domain::spec::*;
use domain::{Event, Points, RecordedEvent, SaleEvent, SeatsHeld};
use futures_util::TryStreamExt;
use uuid::Uuid;

use super::store::{Order, Slot};
use super::*;
use crate::testing::sealed;

/// Events as records, after a concert with a schedule of ten seats.
fn log(events: impl IntoIterator<Item = Event>) -> Vec<RecordedEvent> {
    let seats = seats_added((1..=SEATS).map(seat).collect());
    let mut models = crate::ReadModels::default();
    let all = [concert(), seats, schedule_published()].into_iter().chain(events);
    all.map(|event| {
        let recorded = sealed(&models, T0, event);
        models.apply(&recorded);
        recorded
    })
    .collect()
}

/// A database with every model of these events, written so many at a time.
async fn written(log: &[RecordedEvent], at_once: usize) -> Connection {
    let mut connection = Connection::temporary().await.unwrap();
    let mut transaction = connection.begin().await.unwrap();
    for model in MODELS {
        write(&mut transaction, model, log, at_once).await.unwrap();
    }
    transaction.commit().await.unwrap();
    connection
}

/// The table of one model.
async fn write(
    transaction: &mut Transaction<'_>,
    model: &SqlModel,
    log: &[RecordedEvent],
    at_once: usize,
) -> sqlx::Result<()> {
    let mut checkpoint = store::create(transaction, model, Slot::Live, Uuid::nil()).await?;
    for chunk in log.chunks(at_once) {
        let folded = model.fold(checkpoint.head.position, chunk).unwrap().unwrap();
        checkpoint = store::advance(transaction, model, Slot::Live, &checkpoint, &folded).await?.unwrap();
    }
    Ok(())
}

/// The rows of a query, with a bar between the columns.
async fn rows(connection: &mut Connection, columns: &[&str], rest: &str) -> Vec<String> {
    let texts: Vec<String> = columns.iter().map(|column| format!("coalesce({column}, '-')")).collect();
    let query = format!("SELECT {} AS row FROM {rest}", texts.join(" || '|' || "));
    let mut transaction = connection.begin_reading().await.unwrap();
    let rows: Vec<Row> = transaction.stream(query).try_collect().await.unwrap();
    rows.iter().map(|row| row.text("row").unwrap().to_owned()).collect()
}

fn a_sale() -> Vec<RecordedEvent> {
    log([
        charged(ANN, 500, 500),
        held(1, ANN, [1, 2]),
        paid(1, 1, ANN, [1, 2], 300),
        held(2, BOB, [3]),
        hold_expired(2, BOB, [3]),
        held(3, BOB, [3]),
        cancelled(3, BOB, [3]),
        held(4, BOB, [4]),
        refunded(1, 1, ANN, [1, 2], 500),
        held(5, EVE, [1]),
    ])
}

#[tokio::test]
async fn a_sale_is_in_every_table_however_it_is_cut_into_chunks() {
    for at_once in [1, 2, 3, 5, 100] {
        let mut database = written(&a_sale(), at_once).await;
        let database = &mut database;
        let history = rows(database, &["user_id", "kind", "amount", "balance_after", "payment_id"], "point_history");
        assert_eq!(history.await, ["1|CHARGE|500|500|-", "1|PAYMENT|-200|300|1", "1|REFUND|200|500|1"]);
        assert_eq!(rows(database, &["user_id", "balance", "position"], "balances").await, ["1|500|12"]);
        let reservations = rows(database, &["reservation_id", "user_id", "status", "position"], "reservations").await;
        assert_eq!(
            reservations,
            ["1|1|REFUNDED|12", "2|2|EXPIRED|8", "3|2|CANCELLED|10", "4|2|HELD|11", "5|3|HELD|13"]
        );
        let payments = rows(database, &["payment_id", "reservation_id", "amount", "refunded_at"], "payments").await;
        assert_eq!(payments, [format!("1|1|200|{}", T0.millis())]);
        let counts = ["seats_total", "held", "sold", "refunded", "takings"];
        assert_eq!(rows(database, &counts, "sales").await, ["10|2|0|2|0"], "{at_once} at once");
        let taken = "seat_list WHERE status <> 'AVAILABLE' OR reservation_id IS NOT NULL ORDER BY seat_id";
        assert_eq!(rows(database, &["seat_id", "status", "reservation_id"], taken).await, ["1|HELD|5", "4|HELD|4"]);
    }
}

#[tokio::test]
async fn a_hold_that_expires_late_frees_only_the_seats_that_it_still_has() {
    let log = log([held(1, ANN, [1, 2]), held(2, BOB, [1]), hold_expired(1, ANN, [1, 2])]);
    for at_once in [1, 2, 100] {
        let mut database = written(&log, at_once).await;
        let taken = "seat_list WHERE reservation_id IS NOT NULL";
        let taken = rows(&mut database, &["seat_id", "status", "reservation_id"], taken).await;
        assert_eq!(taken, ["1|HELD|2"], "{at_once} at once");
    }
}

#[tokio::test]
async fn pages_follow_each_other_in_both_directions() {
    let log = log((1..=7).map(|number| charged(ANN, 1, number)));
    let mut database = written(&log, 100).await;
    let mut database = database.begin_reading().await.unwrap();
    for (order, expected) in [(Order::Descending, [10, 9, 8, 7, 6, 5, 4]), (Order::Ascending, [4, 5, 6, 7, 8, 9, 10])] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = point_history::page(&mut database, ANN, order, after, 3).await.unwrap();
            seen.extend(page.iter().map(|movement| movement.position.get()));
            after = page.last().map(|movement| movement.position.get());
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected);
    }
    assert_eq!(point_history::page(&mut database, BOB, Order::Descending, None, 3).await.unwrap(), []);
}

#[tokio::test]
async fn a_reservation_comes_back_as_the_event_had_it() {
    let log = a_sale();
    let mut database = written(&log, 4).await;
    let mut database = database.begin_reading().await.unwrap();
    let Event::Sale(SaleEvent::SeatsHeld(SeatsHeld { hold })) = &log[4].event else { panic!("{:?}", log[4]) };
    let found = reservations::one(&mut database, reservation_id(1)).await.unwrap().unwrap();
    assert_eq!((&found.hold, found.status), (hold, domain::ReservationStatus::Refunded));
    assert_eq!(reservations::one(&mut database, reservation_id(6)).await.unwrap(), None);
    let bobs = reservations::page(&mut database, BOB, Some(4), 50).await.unwrap();
    assert_eq!(bobs.iter().map(|found| found.hold.reservation_id.get()).collect::<Vec<_>>(), [3, 2]);
    let payment = payments::page(&mut database, ANN, None, 50).await.unwrap().remove(0);
    assert_eq!((payment.amount, payment.balance_after), (Points::new(200), Points::new(300)));
}

#[tokio::test]
async fn who_comes_second_from_the_same_checkpoint_writes_nothing() {
    let log = log([charged(ANN, 5, 5), charged(ANN, 5, 10)]);
    let mut database = written(&log[..4], 4).await;
    let model = &balances::MODEL;
    let mut transaction = database.begin().await.unwrap();
    let checkpoint = store::checkpoint(&mut transaction, model, Slot::Live).await.unwrap().unwrap();
    let folded = model.fold(checkpoint.head.position, &log).unwrap().unwrap();
    assert!(store::advance(&mut transaction, model, Slot::Live, &checkpoint, &folded).await.unwrap().is_some());
    assert!(store::advance(&mut transaction, model, Slot::Live, &checkpoint, &folded).await.unwrap().is_none());
    transaction.commit().await.unwrap();
    assert_eq!(rows(&mut database, &["user_id", "balance"], "balances").await, ["1|10"]);
    assert!(model.fold(folded.head.position, &log).unwrap().is_none(), "what is in the table is passed over");
}

#[tokio::test]
async fn a_number_that_no_column_holds_is_named_with_its_position() {
    let log = log([charged(ANN, 5, 5), charged(ANN, u64::MAX, u64::MAX)]);
    let poison = point_history::MODEL.fold(log[3].head.position, &log).unwrap_err();
    assert_eq!((poison.projection, poison.position.get()), ("point_history", 5));
    assert!(payments::MODEL.fold(domain::Position::START, &log).is_ok(), "it is no matter of payments");
}

#[tokio::test]
async fn tables_are_compared_row_for_row() {
    let log = a_sale();
    let (mut one, mut other) = (written(&log, 3).await, written(&log, 100).await);
    let (mut one, mut other) = (one.begin_reading().await.unwrap(), other.begin().await.unwrap());
    for model in MODELS {
        assert!(compare(model, &mut one, &mut other).await.unwrap().unwrap() > 0, "{}", model.name);
    }
    other.run("UPDATE balances SET balance = 7".to_owned()).await.unwrap();
    let difference = compare(&balances::MODEL, &mut one, &mut other).await.unwrap().unwrap_err();
    assert!(difference.left.unwrap().contains("balance 500") && difference.right.unwrap().contains("balance 7"));
    other.run("DELETE FROM sales".to_owned()).await.unwrap();
    let difference = compare(&sales::MODEL, &mut one, &mut other).await.unwrap().unwrap_err();
    assert!(difference.left.is_some() && difference.right.is_none());
}
