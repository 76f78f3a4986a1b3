//! The promises of a read, and the faults that it must not hide.

use domain::ChainError;

use super::*;

pub(super) async fn records_come_in_order_up_to_the_limit(fixture: &dyn Fixture) -> Check {
    let log = fixture.open().await;
    let records = chain(&Head::EMPTY, 20);
    let head = append(&*log, &Head::EMPTY, &records[..9]).await?;
    append(&*log, &head, &records[9..]).await?;
    for (after, limit) in [(0, 20), (0, 1), (0, 7), (7, 7), (14, 7), (19, 100), (20, 7), (1_000, 7), (3, 0)] {
        let found = log.read(Position::new(after), limit).await.map_err(|error| error.to_string())?;
        let expected: Vec<_> = records.iter().skip(after as usize).take(limit).cloned().collect();
        same(&format!("{limit} records after {after}"), &found, &expected)?;
    }
    Ok(())
}

pub(super) async fn every_byte_comes_back(fixture: &dyn Fixture) -> Check {
    let texts = [
        r#"quotes " ' ` and \ backslashes"#,
        "line\nfeeds,\r\ncarriage returns and\ttabs",
        "한글로 쓴 공연 이름",
        "NUL \0 and \u{1f} controls",
        "🎫 beyond 16 bits, e\u{301} combined, \u{feff} marks",
        "'); DROP TABLE log; -- ?1 $1 :a @b %s {}",
        " ",
    ];
    let log = fixture.open().await;
    let records = chain_of(&Head::EMPTY, texts.map(telling));
    append(&*log, &Head::EMPTY, &records).await?;
    holds(fixture, &records).await
}

pub(super) async fn reopening_keeps_everything(fixture: &dyn Fixture) -> Check {
    let (mut head, mut all) = (Head::EMPTY, Vec::new());
    for _ in 0..3 {
        let log = fixture.open().await;
        let found = log.head().await.map_err(|error| error.to_string())?;
        same("the head after reopening", &found, &head)?;
        let records = chain(&head, 5);
        head = append(&*log, &head, &records).await?;
        all.extend(records);
        drop(log);
        holds(fixture, &all).await?;
    }
    Ok(())
}

pub(super) async fn waiting_ends_when_a_record_lands(fixture: &dyn Fixture) -> Check {
    const LONG: Duration = Duration::from_secs(10);
    let log = fixture.open().await;
    let waiting = tokio::spawn({
        let log = Arc::clone(&log);
        async move {
            // The wait may end early: it is a hint.
            while log.head().await.is_ok_and(|head| head == Head::EMPTY) {
                log.wait_past(Position::START).await;
            }
        }
    });
    append(&*log, &Head::EMPTY, &chain(&Head::EMPTY, 1)).await?;
    let ended = tokio::time::timeout(LONG, waiting).await;
    ended.map_err(|_| "a wait did not end when its record landed".to_owned())?.map_err(|error| error.to_string())
}

pub(super) async fn an_altered_record_is_found(fixture: &dyn Fixture) -> Check {
    if !fixture.can_be_damaged() {
        println!("left out, since this log cannot be damaged: an_altered_record_is_found");
        return Ok(());
    }
    append(&*fixture.open().await, &Head::EMPTY, &chain(&Head::EMPTY, 5)).await?;
    fixture.alter(THIRD).await;
    same("the damage", &damage(fixture).await?, &Some(ChainError::Altered { position: THIRD }))
}

pub(super) async fn a_removed_record_is_named(fixture: &dyn Fixture) -> Check {
    if !fixture.can_be_damaged() {
        println!("left out, since this log cannot be damaged: a_removed_record_is_named");
        return Ok(());
    }
    append(&*fixture.open().await, &Head::EMPTY, &chain(&Head::EMPTY, 5)).await?;
    fixture.remove(THIRD).await;
    let gap = ChainError::Gap { missing: THIRD, found: THIRD.next() };
    same("the damage", &damage(fixture).await?, &Some(gap))?;
    // Reading only what is missing must not look like the log's end.
    let found = fixture.open().await.read(Position::new(2), 1).await.map_err(|error| error.to_string())?;
    same("the positions after a gap", &found.iter().map(|record| record.position).collect(), &vec![THIRD.next()])
}

const THIRD: Position = Position::new(3);

/// Reads the chain back, and returns its first fault.
async fn damage(fixture: &dyn Fixture) -> Result<Option<ChainError>, String> {
    let found = fixture.open().await.read(Position::START, 9).await.map_err(|error| error.to_string())?;
    Ok(proves(&found).err())
}
