//! What cannot be a log, and how that is told: one clear sentence each, and never a password.

use super::*;
use crate::log::conformance::chain;

const PASSWORD: &str = "s3cret";

async fn refused(url: &str) -> String {
    let error = KurrentLog::open_with(url, QUICK).await.map(|_| ()).unwrap_err().to_string();
    assert!(!error.contains(PASSWORD) && !error.contains("czNjcmV0"), "{error}");
    error
}

#[tokio::test]
async fn a_wrong_url_is_told_without_its_password() {
    for (url, why) in [
        ("kurrentdb", "no scheme"),
        ("mongodb://ann:s3cret@localhost", "mongodb"),
        ("kurrentdb://ann:s3cret@", "host"),
        ("kurrentdb://ann:s3cret@localhost:port", "localhost:port"),
        ("kurrentdb://ann:s3cret@localhost:2113,localhost:port", "localhost:port"),
        ("kurrentdb://ann:s3cret@localhost?tls=perhaps", "tls"),
        ("kurrentdb://ann:s3cret%@localhost", "needs two hexadecimal digits"),
        ("kurrentdb://ann:s3cret@localhost?tlsVerifyCert=false", "tlsCaFile"),
        ("kurrentdb://ann:s3cret@localhost?tlsCaFile=/nowhere.pem", "/nowhere.pem"),
        ("kurrentdb://ann:s3cret@localhost?tls=false&stream=", "cannot be the stream"),
        ("kurrentdb://ann:s3cret@localhost?tls=false&stream=$all", "cannot be the stream"),
    ] {
        let told = refused(url).await;
        assert!(told.starts_with("the log's URL cannot be used") && told.contains(why), "{url}: {told}");
    }
}

#[test]
fn a_url_says_nodes_stream_and_credentials() {
    let settings = Settings::parse("esdb://ann:p%40ss%3a@one:1,two:2?tls=false&stream=sales%202026").unwrap();
    assert_eq!(settings.nodes.iter().map(ToString::to_string).collect::<Vec<_>>(), ["one:1", "two:2"]);
    assert_eq!(settings.stream, "sales 2026");
    // Basic authorization of ann with p@ss:
    assert_eq!(settings.authorization.unwrap(), "Basic YW5uOnBAc3M6");
    let settings = Settings::parse("kurrentdb+discover://cluster?tls=false").unwrap();
    assert_eq!((settings.nodes[0].to_string(), settings.stream), ("cluster:2113".to_owned(), "reprise".to_owned()));
    assert!(settings.authorization.is_none());
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told() {
    let mut stand_in = StandIn::start().await;
    let url = stand_in.url();
    stand_in.stop(0).await;
    let told = refused(&url).await;
    assert!(told.starts_with("KurrentDB cannot be reached") && told.contains("refused"), "{told}");
}

#[tokio::test]
async fn a_node_that_is_silent_is_passed_by() {
    let stand_in = StandIn::start().await;
    // Whoever connects to it waits.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("kurrentdb://{},{}?tls=false", silent.local_addr().unwrap(), stand_in.address(0));
    let log = KurrentLog::open_with(&url, QUICK).await.unwrap();
    log.append(&Head::EMPTY, &chain(&Head::EMPTY, 1)).await.unwrap();
    let told = refused(&format!("kurrentdb://{}?tls=false", silent.local_addr().unwrap())).await;
    assert!(told.contains("no answer in time"), "{told}");
}

#[tokio::test]
async fn what_is_no_kurrentdb_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut { socket }, b"HTTP/1.1 404 Not Found\r\n\r\n").await;
        }
    });
    let told = refused(&format!("kurrentdb://ann:s3cret@{address}?tls=false")).await;
    assert!(told.starts_with("KurrentDB cannot be reached"), "{told}");
}

/// Two crates bring a cryptography of their own; which one is used must not be left to chance, or TLS panics.
#[tokio::test]
async fn tls_to_a_server_without_it_is_told() {
    let stand_in = StandIn::start().await;
    let told = refused(&format!("kurrentdb://ann:s3cret@{}", stand_in.address(0))).await;
    assert!(told.starts_with("KurrentDB cannot be reached"), "{told}");
}

#[tokio::test]
async fn wrong_credentials_are_told_and_right_ones_let_in() {
    let stand_in = StandIn::start().await;
    stand_in.demand("ann", "s3cret:@");
    let url = |credentials: &str| format!("kurrentdb://{credentials}{}?tls=false", stand_in.address(0));
    for wrong in ["", "ann:s3cret@", "bob:s3cret%3A%40@"] {
        let told = refused(&url(wrong)).await;
        assert!(told.contains("does not accept these credentials"), "{told}");
    }
    let log = KurrentLog::open(&url("ann:s3cret%3A%40@").parse().unwrap()).await.unwrap();
    log.append(&Head::EMPTY, &chain(&Head::EMPTY, 1)).await.unwrap();
}

#[tokio::test]
async fn a_stream_of_somebody_else_is_no_log() {
    let stream = Stream::on(StandIn::start().await);
    stream.stand_in().write(&stream.name, "OrderPlaced", "{}");
    let told = refused(&stream.url()).await;
    assert!(told.contains("is not a log of Reprise") && told.contains("position 1"), "{told}");
}

#[tokio::test]
async fn an_event_of_somebody_else_within_the_log_is_damage() {
    let stream = Stream::on(StandIn::start().await);
    let log = stream.log().await;
    let records = chain(&Head::EMPTY, 2);
    log.append(&Head::EMPTY, &records).await.unwrap();
    stream.stand_in().write(&stream.name, "OrderPlaced", "{}");
    let Err(ReadError::Malformed { position, reason }) = log.read(Position::START, 9).await else { panic!() };
    assert_eq!(position, Position::new(3));
    assert!(reason.contains("`reprise log export FILE --until 2`"), "the way out is named: {reason}");
    assert_eq!(log.read(Position::START, 2).await.unwrap(), records);
}

#[tokio::test]
async fn a_truncated_stream_is_no_log() {
    let stream = Stream::on(StandIn::start().await);
    stream.log().await.append(&Head::EMPTY, &chain(&Head::EMPTY, 5)).await.unwrap();
    stream.stand_in().truncate(&stream.name, 3);
    let told = refused(&stream.url()).await;
    assert!(told.contains("is not a complete log") && told.contains("position 4"), "{told}");
}

#[tokio::test]
async fn a_deleted_stream_is_no_log() {
    let stream = Stream::on(StandIn::start().await);
    let (log, records) = (stream.log().await, chain(&Head::EMPTY, 2));
    log.append(&Head::EMPTY, &records).await.unwrap();
    stream.stand_in().delete(&stream.name);
    let told = refused(&stream.url()).await;
    assert!(told.contains("is not a complete log") && told.contains("deleted permanently"), "{told}");
    // Whoever had it open finds nothing where it was.
    let head = records[1].head();
    assert_eq!(log.append(&head, &chain(&head, 1)).await, Err(AppendError::Conflict));
    assert_eq!((log.head().await, log.read(Position::START, 9).await), (Ok(Head::EMPTY), Ok(vec![])));
}

#[tokio::test]
async fn a_stream_whose_events_the_server_is_to_forget_is_no_log() {
    for forgetting in [r#"{"$maxCount":1000}"#, r#"{"$maxAge":86400}"#, r#"{"$tb":7}"#] {
        let stream = Stream::on(StandIn::start().await);
        stream.stand_in().write(&format!("$${}", stream.name), "$metadata", forgetting);
        let told = refused(&stream.url()).await;
        assert!(told.contains("is not a complete log") && told.contains("forget"), "{told}");
    }
    let stream = Stream::on(StandIn::start().await);
    stream.stand_in().write(&format!("$${}", stream.name), "$metadata", r#"{"$acl":{"$r":"$all"}}"#);
    stream.log().await;
}

#[tokio::test]
async fn a_stream_that_the_server_is_told_to_forget_while_it_is_used_is_not_used_until_it_is_kept_again() {
    let stream = Stream::on(StandIn::start().await);
    let (log, mut records) = (stream.log().await, chain(&Head::EMPTY, 5));
    log.append(&Head::EMPTY, &records).await.unwrap();
    let metadata = format!("$${}", stream.name);
    for forgetting in ["$maxCount", "$maxAge", "$tb"] {
        stream.stand_in().write(&metadata, "$metadata", &format!(r#"{{"{forgetting}":3}}"#));
        let why = loop {
            match log.head().await {
                Ok(_) => tokio::time::sleep(SETTLE_PAUSE).await,
                Err(why) => break why.to_string(),
            }
        };
        assert!(why.contains("is not a complete log") && why.contains(forgetting), "{why}");
        let head = records.last().unwrap().head();
        let next = chain(&head, 1);
        for outcome in [log.append(&head, &next).await, log.compare_head(&head).await] {
            assert!(matches!(&outcome, Err(AppendError::Unavailable(why)) if why.contains(forgetting)), "{outcome:?}");
        }
        assert!(matches!(log.read(Position::START, 9).await, Err(ReadError::Unavailable(_))));
        stream.stand_in().write(&metadata, "$metadata", "{}");
        while log.head().await.is_err() {
            tokio::time::sleep(SETTLE_PAUSE).await;
        }
        log.append(&head, &next).await.unwrap();
        records.extend(next);
    }
    assert_eq!(whole(&log).await, records);
}
