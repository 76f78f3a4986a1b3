//! The storage contract: `golden/<Type>.v<version>[.<variant>].json` is the data of a record as logs hold it.
//!
//! A file here is never changed. What it holds stands in somebody's log, and must be read for ever; a new shape is a new
//! version, with files of its own. The files and the hashes below were written without the program.

#![expect(clippy::unwrap_used, reason = "what serves tests only is a test")]

use std::collections::BTreeSet;
use std::path::Path;

use domain::{
    ActorName, DecodeError, Event, Fingerprint, Hash, Head, IdempotencyKey, Metadata, OperatorName, Points,
    PointsCharged, Position, Record, Timestamp, UserId,
};
use serde_json::Value;
use uuid::Uuid;

/// A record's data as a log holds it.
struct Golden {
    event_type: String,
    version: u32,
    data: String,
}

fn goldens() -> Vec<Golden> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.map(|file| golden(&file)).collect()
}

fn golden(file: &Path) -> Golden {
    let name = file.file_name().unwrap().to_str().unwrap();
    let mut parts = name.split('.');
    let event_type = parts.next().unwrap().to_owned();
    let version = parts.next().unwrap().strip_prefix('v').unwrap().parse().unwrap();
    let text = std::fs::read_to_string(file).unwrap();
    let data = text.strip_suffix('\n').unwrap().to_owned();
    assert!(!data.contains('\n'), "{name} is one line");
    Golden { event_type, version, data }
}

impl Golden {
    fn decode(&self) -> Result<Event, DecodeError> {
        Event::decode(&self.event_type, self.version, &self.data)
    }

    /// The same with other data.
    fn with(&self, data: String) -> Self {
        Self { event_type: self.event_type.clone(), version: self.version, data }
    }

    fn is_refused_as_malformed(&self) {
        match self.decode() {
            Err(DecodeError::MalformedData { event_type, .. }) => assert_eq!(event_type, self.event_type),
            other => panic!("{} as {} gives {other:?}", self.data, self.event_type),
        }
    }

    /// What the data would be after `change` was made to one of its objects, for each of them: itself, a hold, a seat.
    fn changed(&self, change: impl Fn(&mut serde_json::Map<String, Value>)) -> Vec<Self> {
        let whole: Value = serde_json::from_str(&self.data).unwrap();
        let objects =
            ["", "/hold", "/hold/seats/0", "/seats/0"].into_iter().filter(|path| whole.pointer(path).is_some());
        let changed = objects.map(|path| {
            let mut changed = whole.clone();
            change(changed.pointer_mut(path).unwrap().as_object_mut().unwrap());
            self.with(changed.to_string())
        });
        changed.filter(|changed| serde_json::from_str::<Value>(&changed.data).unwrap() != whole).collect()
    }

    /// The names of all members, at any depth.
    fn members(&self) -> BTreeSet<String> {
        let mut members = BTreeSet::new();
        let mut objects = vec![serde_json::from_str::<Value>(&self.data).unwrap()];
        while let Some(value) = objects.pop() {
            if let Value::Object(object) = &value {
                members.extend(object.keys().cloned());
            }
            objects.extend(value.as_object().into_iter().flat_map(|object| object.values().cloned()));
            objects.extend(value.as_array().into_iter().flatten().cloned());
        }
        members
    }
}

#[test]
fn every_type_and_version_has_a_golden_file_and_every_golden_file_a_type() {
    let versions =
        Event::TYPES.iter().flat_map(|(name, versions)| versions.iter().map(move |version| (*name, *version)));
    let known: BTreeSet<_> = versions.map(|(name, version)| (name.to_owned(), version)).collect();
    let stored: BTreeSet<_> = goldens().into_iter().map(|golden| (golden.event_type, golden.version)).collect();
    let file = |(name, version): &(String, u32)| format!("domain/tests/golden/{name}.v{version}.json");
    let missing: Vec<_> = known.difference(&stored).map(file).collect();
    assert!(missing.is_empty(), "write down the data of such a record, in one line and by hand, in {missing:?}");
    let forgotten: Vec<_> = stored.difference(&known).map(file).collect();
    assert!(forgotten.is_empty(), "logs hold {forgotten:?}: keep it in `events!` in domain/src/event.rs");
}

#[test]
fn what_was_stored_is_read_and_written_back_to_the_byte() {
    for golden in goldens() {
        let event = golden.decode().unwrap();
        let name = (golden.event_type.as_str(), golden.version);
        assert_eq!((event.event_type(), event.type_version()), name, "{}", golden.data);
        assert_eq!(event.encode(), golden.data);
    }
}

/// These tell no time of their own: of a catalogue the import's end tells, and a pause may have ended before its event.
const WITHOUT_A_TIME: [&str; 5] = ["LogCreated", "ConcertPublished", "SeatsAdded", "SchedulePublished", "SaleResumed"];

#[test]
fn every_event_says_which_member_is_its_time() {
    for golden in goldens() {
        let is_told = golden.decode().unwrap().decided_at().is_some();
        let name = &*golden.event_type;
        assert!(
            is_told != WITHOUT_A_TIME.contains(&name),
            "name the time of {name} in `events!` in domain/src/event.rs"
        );
    }
}

#[test]
fn a_type_never_heard_of_is_refused() {
    let unknown = Event::decode("TokenStolen", 1, "{}");
    assert_eq!(unknown, Err(DecodeError::UnknownType("TokenStolen".to_owned())));
    assert_eq!(Event::decode("", 1, "{}"), Err(DecodeError::UnknownType(String::new())));
}

#[test]
fn another_version_of_a_known_type_is_refused() {
    for golden in goldens() {
        for version in [0, 99] {
            let event_type = golden.event_type.clone();
            let refused = Event::decode(&event_type, version, &golden.data);
            assert_eq!(refused, Err(DecodeError::UnknownVersion { event_type, version }));
        }
    }
}

#[test]
fn a_member_never_heard_of_is_refused_at_any_depth() {
    for golden in goldens() {
        let with_more = golden.changed(|object| {
            object.insert("colour".to_owned(), Value::Null);
        });
        assert!(!with_more.is_empty());
        with_more.iter().for_each(Golden::is_refused_as_malformed);
    }
}

#[test]
fn a_missing_member_is_refused_at_any_depth_also_where_it_could_be_null() {
    // The only members that may be absent: a seat has them where they are known.
    let optional = ["row", "number", "x", "y"];
    for golden in goldens() {
        for member in golden.members().iter().filter(|member| !optional.contains(&member.as_str())) {
            let with_less = golden.changed(|object| {
                object.remove(member);
            });
            assert!(!with_less.is_empty());
            with_less.iter().for_each(Golden::is_refused_as_malformed);
        }
    }
}

#[test]
fn a_mistyped_member_is_refused() {
    for golden in goldens() {
        for member in golden.members() {
            let mistyped = golden.changed(|object| {
                object.entry(&member).and_modify(|value| *value = Value::from(vec![true]));
            });
            assert!(!mistyped.is_empty());
            mistyped.iter().for_each(Golden::is_refused_as_malformed);
        }
    }
}

#[test]
fn nothing_may_follow_the_data() {
    for golden in goldens() {
        let Golden { event_type, data, .. } = &golden;
        golden.with(format!(r#"{data},"{event_type}":{data}"#)).is_refused_as_malformed();
        golden.with(format!("{data}}}")).is_refused_as_malformed();
        golden.with(String::new()).is_refused_as_malformed();
    }
}

const METADATA: &str = concat!(
    r#"{"command_id":"11111111-1111-4111-8111-111111111111","index":0,"count":1,"#,
    r#""correlation_id":"22222222-2222-4222-8222-222222222222","#,
    r#""causation_id":"33333333-3333-4333-8333-333333333333","actor":"user:7","#,
    r#""node_id":"44444444-4444-4444-8444-444444444444","program":"0.1.0","request_id":"req-1","#,
    r#""idempotency":{"key":"000102030405060708090a0b0c0d0e0f","request":"0f0e0d0c0b0a09080706050403020100"}}"#,
);

/// Without what only a request has.
const PLAIN_METADATA: &str = concat!(
    r#"{"command_id":"11111111-1111-4111-8111-111111111111","index":0,"count":1,"#,
    r#""correlation_id":"22222222-2222-4222-8222-222222222222","#,
    r#""causation_id":"33333333-3333-4333-8333-333333333333","actor":"system","#,
    r#""node_id":"44444444-4444-4444-8444-444444444444","program":"0.1.0"}"#,
);

const PREVIOUS: Head = Head { position: Position::new(999), hash: Hash::new([0xab; 32]) };

fn charge() -> Event {
    Event::from(PointsCharged {
        user_id: UserId::try_from(7).unwrap(),
        amount: Points::new(10_000_000),
        balance_after: Points::new(1_000_000_000_000),
        charged_at: Timestamp::from_millis(1_800_000_020_000),
    })
}

fn metadata() -> Metadata {
    let bytes: [u8; 16] = std::array::from_fn(|index| index as u8);
    let reversed: [u8; 16] = std::array::from_fn(|index| 15 - index as u8);
    Metadata {
        command_id: Uuid::from_u128(0x11111111_1111_4111_8111_111111111111),
        index: 0,
        count: 1,
        correlation_id: Uuid::from_u128(0x22222222_2222_4222_8222_222222222222),
        causation_id: Uuid::from_u128(0x33333333_3333_4333_8333_333333333333),
        actor: ActorName::User(UserId::try_from(7).unwrap()),
        node_id: Uuid::from_u128(0x44444444_4444_4444_8444_444444444444),
        program: "0.1.0".into(),
        request_id: Some("req-1".to_owned()),
        idempotency: Some(IdempotencyKey { key: Fingerprint::new(bytes), request: Fingerprint::new(reversed) }),
    }
}

fn sealed(metadata: &Metadata) -> Record {
    Record::seal(&PREVIOUS, Timestamp::from_millis(1_800_000_020_000), &charge(), metadata)
}

#[test]
fn a_sealed_record_has_these_bytes_and_this_hash() {
    let record = sealed(&metadata());
    assert_eq!(record.position, Position::new(1_000));
    assert_eq!(record.recorded_at, Timestamp::from_millis(1_800_000_020_000));
    assert_eq!((&*record.event_type, record.type_version), ("PointsCharged", 1));
    assert_eq!(
        &*record.data,
        r#"{"user_id":7,"amount":10000000,"balance_after":1000000000000,"charged_at":1800000020000}"#
    );
    assert_eq!(&*record.metadata, METADATA);
    assert_eq!(record.hash.to_string(), "ea187535d597be722380f753cd029c696c704b25db5f19396eb00356bca9fb02");
}

#[test]
fn metadata_says_nothing_of_a_request_where_there_was_none() {
    let record = sealed(&Metadata { actor: ActorName::System, request_id: None, idempotency: None, ..metadata() });
    assert_eq!(&*record.metadata, PLAIN_METADATA);
    assert_eq!(record.hash.to_string(), "3a1e041fb9e00e2a15bd2f3fb412c3551b4956f0f59b8218f85c26240e87b54c");
}

#[test]
fn a_stored_record_is_read_as_what_was_sealed() {
    let by = |name| Metadata { actor: ActorName::Operator(name), idempotency: None, ..metadata() };
    let subject = OperatorName::of_subject("kim@example.org");
    let operators = [OperatorName::ANYONE, subject, OperatorName::of_local_user(1_000)];
    for metadata in operators.map(by).into_iter().chain([metadata()]) {
        let record = sealed(&metadata);
        let recorded = record.decode().unwrap();
        assert_eq!((recorded.head, recorded.recorded_at), (record.head(), record.recorded_at));
        assert_eq!((recorded.event, recorded.metadata), (charge(), metadata));
    }
}

#[test]
fn an_operator_is_named_in_one_of_three_ways() {
    let named = |name: &str| {
        let record = sealed(&metadata());
        Record { metadata: record.metadata.replace("user:7", name).into(), ..record }
            .decode()
            .map(|recorded| recorded.metadata.actor)
    };
    assert_eq!(named("operator"), Ok(ActorName::Operator(OperatorName::ANYONE)));
    assert_eq!(named("operator:kim"), Ok(ActorName::Operator(OperatorName::of_subject("kim"))));
    assert_eq!(named("local:0"), Ok(ActorName::Operator(OperatorName::of_local_user(0))));
    assert!(named("local:-1").is_err() && named("somebody").is_err());
}
