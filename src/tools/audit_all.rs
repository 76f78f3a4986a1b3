//! `reprise audit all`: replays the whole log, and proves every rule of the business.

use std::ops::ControlFlow;
use std::sync::Arc;

use domain::{Hash, Position};
use projections::sql::MODELS;
use serde::Serialize;

use super::checker::{self, Checker, Proof, Violation};
use super::fold_thread::FoldThread;
use super::output::{Said, Table, count, plain};
use super::read_models::{self, Comparison};
use super::{ToolError, source};
use crate::engine::{StreamError, decode, stream};
use crate::past::range;
use crate::place::Place;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Audit<'a> {
    ok: bool,
    /// The last position that was replayed, and its hash.
    position: Position,
    hash: Hash,
    /// The first fault of the log's records, if there is one.
    broken: Option<Broken>,
    proofs: Vec<Proved>,
    /// At most 20 of each proof.
    violations: &'a [Violation],
    totals: Totals,
    read_models: Vec<Comparison>,
}

#[derive(Serialize)]
struct Broken {
    position: Position,
    reason: String,
}

#[derive(Serialize)]
struct Proved {
    proof: Proof,
    ok: bool,
    checked: u64,
    violated: u64,
}

/// Sums in points. Takings are net of refunds.
#[derive(Serialize)]
struct Totals {
    charged: u64,
    /// The sum of all adjustments.
    adjusted: i64,
    balances: u64,
    takings: i64,
}

/// Replays the log into its own books and into the read models, and compares them.
pub async fn run(place: &Place, json: bool) -> Result<Said, ToolError> {
    let log = source::open(place).await?;
    let end = log.head().await.map_or(Position::START, |head| head.position);
    let bar = source::progress_bar("auditing", end, json);
    let mut checker = Checker::default();
    let folding = FoldThread::start();
    let streamed = stream(&log, range(&log, None).await, decode, |page| {
        let page = Arc::new(page);
        folding.fold(&page);
        page.iter().for_each(|recorded| checker.check(recorded));
        bar.inc(page.len() as u64);
        ControlFlow::Continue(())
    })
    .await;
    let folded = folding.finish();
    let broken = match streamed {
        Ok(_) => None,
        Err(StreamError::Wrong { position, reason }) => Some(Broken { position, reason }),
        Err(error) => return Err(error.into()),
    };
    let mut read_models = vec![read_models::hot(&checker, &folded)];
    if broken.is_none() {
        checker.finish();
        read_models.extend(read_models::stored(place, &log, &MODELS).await?);
    }
    let proved = |proof: Proof| {
        let (checked, violated) = checker.outcome(proof);
        Proved { proof, ok: violated == 0, checked, violated }
    };
    let proofs: Vec<Proved> = Proof::ALL.into_iter().map(proved).collect();
    let checker::Totals { charged, adjusted, balances, takings } = checker.totals();
    let audit = Audit {
        ok: broken.is_none()
            && proofs.iter().all(|proved| proved.ok)
            && read_models.iter().all(|compared| compared.differences.is_empty()),
        position: folded.state.head.position,
        hash: folded.state.head.hash,
        broken,
        proofs,
        violations: checker.violations(),
        totals: Totals {
            charged: u64::try_from(charged).unwrap_or(u64::MAX),
            adjusted: i64::try_from(adjusted).unwrap_or(i64::MAX),
            balances: u64::try_from(balances).unwrap_or(u64::MAX),
            takings: i64::try_from(takings).unwrap_or(i64::MAX),
        },
        read_models,
    };
    let text = text(&audit);
    Ok(Said::verdict(audit.ok, &audit, text))
}

fn text(audit: &Audit<'_>) -> String {
    let verdict = |ok: bool| if ok { "holds" } else { "VIOLATED" }.to_owned();
    let mut table = Table::new(["proof", "", "checks", "violations"], &[2, 3]);
    let broken = u64::from(audit.broken.is_some());
    table.row([
        "the log is what was written".to_owned(),
        verdict(broken == 0),
        count(audit.position.get()),
        count(broken),
    ]);
    for proved in &audit.proofs {
        table.row([proved.proof.to_string(), verdict(proved.ok), count(proved.checked), count(proved.violated)]);
    }
    for compared in &audit.read_models {
        let name = format!("read models ({}) equal a fresh fold", compared.name);
        let differences = compared.differences.len();
        let verdict = if compared.is_missing { "not there".to_owned() } else { verdict(differences == 0) };
        table.row([name, verdict, count(compared.compared), count(differences)]);
    }
    let Totals { charged, adjusted, balances, takings } = audit.totals;
    let mut text = format!(
        "{table}\n{} charged, {} adjusted, {} in wallets, {} takings after refunds\nhead {}:{}\n",
        count(charged),
        plain(adjusted.into()),
        count(balances),
        plain(takings.into()),
        audit.position,
        audit.hash
    );
    if let Some(Broken { position, reason }) = &audit.broken {
        text.push_str(&format!("WRONG at position {position}: {reason}\n"));
    }
    for Violation { position, proof, reason } in audit.violations {
        text.push_str(&format!("WRONG at position {position}: {proof}: {reason}\n"));
    }
    audit.read_models.iter().flat_map(Comparison::lines).for_each(|line| text.push_str(&line));
    text
}
