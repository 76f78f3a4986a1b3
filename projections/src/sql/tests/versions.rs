//! Databases hold tables that earlier programs made: a table that changes gets another version, and each has room for every
//! event of a log.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::*;

/// Each table's version, and the first digits of a hash of its columns, its key and the rows of [`a_sale`].
const TABLES: [(&str, u32, &str); 6] = [
    ("seat_list", 2, "046a1f18868dbdfb"),
    ("balances", 1, "ddd2810175431321"),
    ("point_history", 2, "5cef51a012b51a86"),
    ("reservations", 2, "0cd428e3f45e1b0d"),
    ("payments", 1, "58e5a9d52a855fc5"),
    ("sales", 2, "54e616b58149e188"),
];

#[tokio::test]
async fn a_table_that_changes_raises_its_version() {
    let mut database = written(&a_sale(), 100).await;
    let mut wrong = Vec::new();
    for model in MODELS {
        let mut hasher = Sha256::new_with_prefix(format!("{} {}", model.columns, model.key));
        let mut transaction = database.begin_reading().await.unwrap();
        let query = format!("SELECT * FROM {} ORDER BY {}", model.name, model.key);
        let rows: Vec<Row> = transaction.stream(query).try_collect().await.unwrap();
        rows.iter().for_each(|row| hasher.update(format!("{:?}", row.cells().unwrap())));
        let digest = &domain::Hash::new(hasher.finalize().into()).to_string()[..16];
        let line = (model.name, model.version, digest.to_owned());
        let known = TABLES.iter().find(|(name, ..)| *name == model.name);
        match known.map(|(name, version, digest)| (*name, *version, (*digest).to_owned())) {
            Some(known) if known == line => {}
            Some((name, version, _)) if version == model.version => wrong.push(format!(
                "columns, key or rows of {name} are others than those of version {version}: raise `version` in \
                 projections/src/sql/{name}.rs"
            )),
            Some(_) | None => wrong.push(format!("TABLES needs this line: {line:?},")),
        }
    }
    assert!(wrong.is_empty(), "in projections/src/sql/tests/versions.rs:\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_event_of_a_log_fits_into_every_table() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../domain/tests/golden");
    for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
        let name = file.file_name().unwrap().to_str().unwrap();
        let [event_type, version] = [0, 1].map(|part| name.split('.').nth(part).unwrap());
        let data = std::fs::read_to_string(&file).unwrap();
        let event = Event::decode(event_type, version.trim_start_matches('v').parse().unwrap(), &data).unwrap();
        let recorded = sealed(&crate::ReadModels::default(), T0, event);
        let mut database = Connection::temporary().await.unwrap();
        let mut transaction = database.begin().await.unwrap();
        for model in MODELS {
            let written = write(&mut transaction, model, std::slice::from_ref(&recorded), 1).await;
            assert!(
                written.is_ok(),
                "{name} makes rows that the table does not take: change `columns` or `key`, and raise `version`, in \
                 projections/src/sql/{}.rs: {}",
                model.name,
                written.unwrap_err()
            );
        }
    }
}
