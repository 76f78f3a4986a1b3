//! A server that dies, comes back, or is replaced by its standby.

use super::*;

/// Appends until it works, settling what is not known as the sequencer does: the same records at the same head.
async fn append_in_the_end(log: &dyn EventLog, head: &Head, records: &[Record]) {
    loop {
        match log.append(head, records).await {
            Ok(()) => return,
            Err(AppendError::Conflict) => match log.read(head.position, 1).await {
                Ok(next) if next.is_empty() => panic!("the head went back"),
                Ok(next) => return assert_eq!(next[0], records[0], "another's record"),
                Err(_) => {}
            },
            Err(AppendError::Unknown(_) | AppendError::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn head_in_the_end(log: &dyn EventLog) -> Head {
    loop {
        match log.head().await {
            Ok(head) => return head,
            Err(ReadError::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(error) => panic!("{error}"),
        }
    }
}

/// A list of two hosts, as it stands in `--log`.
fn both(one: &Postgres, other: &Postgres, database: &str) -> String {
    one.url(database).replace(&one.address(), &format!("{},{}", one.address(), other.address()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_while_it_appends_loses_nothing_and_repeats_nothing() {
    let Some(mut server) = Postgres::start() else { return };
    let log = Arc::new(open(&server.database()).await);
    let (stop, stopped) = watch::channel(false);
    let appending = tokio::spawn({
        let log = Arc::clone(&log);
        async move {
            let mut records: Vec<Record> = Vec::new();
            while !*stopped.borrow() {
                let head = records.last().map_or(Head::EMPTY, Record::head);
                let batch = chain(&head, 20);
                append_in_the_end(log.as_ref(), &head, &batch).await;
                records.extend(batch);
            }
            records
        }
    });
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.kill();
        server.go();
    }
    stop.send_replace(true);
    let records = appending.await.unwrap();
    assert!(records.len() > 60, "the load was no load: {}", records.len());
    assert_eq!(log.read(Position::START, records.len() + 1).await.unwrap(), records);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_synchronous_standby_has_acknowledged_is_there_after_it_is_promoted() {
    let Some(primary) = Postgres::start() else { return };
    primary.sql("postgres", "CREATE DATABASE sales");
    let standby = primary.standby();
    primary.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'standby'");
    primary.sql("postgres", "SELECT pg_reload_conf()");
    // The standby is named first: what takes writes is found, whatever the order.
    let log = open(&both(&standby, &primary, "sales")).await;
    let records = chain(&Head::EMPTY, 50);
    log.append(&Head::EMPTY, &records).await.unwrap();
    let bystander = PostgresLog::open_read_only(&standby.url("sales").parse().unwrap()).await.unwrap();
    while bystander.head().await.unwrap() != records[49].head() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(primary);
    standby.promote();
    assert_eq!(head_in_the_end(&log).await, records[49].head());
    let more = chain(&records[49].head(), 1);
    append_in_the_end(&log, &records[49].head(), &more).await;
    assert_eq!(log.read(Position::START, 99).await.unwrap(), [records, more].concat());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_standby_has_acknowledged_is_not_told_of_after_a_restart() {
    let Some(mut primary) = Postgres::start() else { return };
    let standby = primary.standby();
    primary.sql("postgres", "CREATE DATABASE sales");
    let log = open(&primary.url("sales")).await;
    let records = chain(&Head::EMPTY, 2);
    log.append(&Head::EMPTY, &records[..1]).await.unwrap();
    primary.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'standby'");
    primary.sql("postgres", "SELECT pg_reload_conf()");
    drop(standby);
    // It is committed here, and waits for a standby that is gone: nobody knows what becomes of it.
    let appended = log.append(&records[0].head(), &records[1..]).await;
    assert!(matches!(appended, Err(AppendError::Unknown(_))), "{appended:?}");
    primary.kill();
    primary.go();
    // It stands in the restarted server for everyone to see, and is still not durable.
    assert_eq!(primary.sql("sales", "SELECT max(position) FROM log"), "2");
    for found in [log.head().await.map(drop), log.read(Position::START, 9).await.map(drop)] {
        assert!(matches!(found, Err(ReadError::Unavailable(_))), "{found:?}");
    }
    let _standby = primary.standby();
    assert_eq!(head_in_the_end(&log).await, records[1].head());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_that_lagged_shows_another_head_once_it_is_promoted() {
    let Some(primary) = Postgres::start() else { return };
    primary.sql("postgres", "CREATE DATABASE sales");
    let mut standby = primary.standby();
    let log = open(&both(&primary, &standby, "sales")).await;
    let records = chain(&Head::EMPTY, 2);
    log.append(&Head::EMPTY, &records[..1]).await.unwrap();
    let replayed = "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()";
    while primary.sql("sales", replayed) != "1" {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    standby.kill();
    log.append(&records[0].head(), &records[1..]).await.unwrap();
    drop(primary);
    standby.go();
    standby.promote();
    assert_eq!(head_in_the_end(&log).await, records[0].head());
    // What was decided on the lost record conflicts, and what was decided on the one before it would fork history: it
    // is the sequencer that compares its own position, and stops.
    let next = chain(&records[1].head(), 1);
    loop {
        match log.append(&records[1].head(), &next).await {
            Err(AppendError::Unknown(_) | AppendError::Unavailable(_)) => {}
            settled => return assert_eq!(settled, Err(AppendError::Conflict)),
        }
    }
}
