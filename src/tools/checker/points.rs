//! The books of points: wallets, and the sums of all movements.

use std::collections::HashMap;

use domain::limits::{MAX_ADJUSTMENT, MAX_BALANCE, MAX_CHARGE};
use domain::{Event, Hold, PointsCharged, PointsEvent, ReservationPaid, ReservationRefunded, SaleEvent, UserId};

use super::{Findings, Proof};

#[derive(Debug, Default)]
pub struct PointsCheck {
    wallets: HashMap<UserId, u64>,
    charged: u128,
    adjusted: i128,
    taken_in: i128,
}

impl PointsCheck {
    pub fn check(&mut self, event: &Event, findings: &mut Findings) {
        match event {
            Event::Points(PointsEvent::PointsCharged(PointsCharged { user_id, amount, balance_after, .. })) => {
                self.charged += u128::from(amount.get());
                findings.holds(Proof::NoCapPassed, (1..=MAX_CHARGE.get()).contains(&amount.get()), || {
                    format!("a charge of user {user_id} has {} points", amount.get())
                });
                findings.holds(Proof::NoCapPassed, *balance_after <= MAX_BALANCE, || {
                    format!("a charge brought the balance of user {user_id} to {}", balance_after.get())
                });
                self.follow(*user_id, i128::from(amount.get()), balance_after.get(), findings);
            }
            Event::Points(PointsEvent::PointsAdjusted(adjusted)) => {
                let (user_id, amount) = (adjusted.user_id, adjusted.amount);
                self.adjusted += i128::from(amount);
                let is_within = amount != 0 && amount.abs() <= MAX_ADJUSTMENT;
                findings.holds(Proof::NoCapPassed, is_within, || format!("user {user_id} was adjusted by {amount}"));
                findings.holds(Proof::NoCapPassed, amount < 0 || adjusted.balance_after <= MAX_BALANCE, || {
                    format!("an adjustment brought the balance of user {user_id} to {}", adjusted.balance_after.get())
                });
                self.follow(user_id, i128::from(amount), adjusted.balance_after.get(), findings);
            }
            Event::Sale(SaleEvent::ReservationPaid(ReservationPaid { hold, balance_after, .. })) => {
                let price = price(hold);
                self.taken_in += price;
                self.follow(hold.user_id, -price, balance_after.get(), findings);
            }
            Event::Sale(SaleEvent::ReservationRefunded(ReservationRefunded { hold, balance_after, .. })) => {
                let price = price(hold);
                self.taken_in -= price;
                self.follow(hold.user_id, price, balance_after.get(), findings);
            }
            Event::Log(_)
            | Event::Room(_)
            | Event::Opening(_)
            | Event::Users(_)
            | Event::Catalogue(_)
            | Event::Sale(
                SaleEvent::SeatsHeld(_)
                | SaleEvent::HoldExtended(_)
                | SaleEvent::HoldExpired(_)
                | SaleEvent::HoldCancelled(_),
            ) => {}
        }
    }

    /// Enters a movement. The new balance must be the old one plus `amount`, and not below zero.
    fn follow(&mut self, user_id: UserId, amount: i128, balance_after: u64, findings: &mut Findings) {
        let wallet = self.wallets.entry(user_id).or_default();
        let due = i128::from(*wallet) + amount;
        findings.holds(Proof::NoWalletBelowZero, due >= 0, || {
            format!("the wallet of user {user_id} had {wallet} and was changed by {amount}: it is below zero")
        });
        findings.holds(Proof::NoWalletBelowZero, due < 0 || due == i128::from(balance_after), || {
            format!(
                "the wallet of user {user_id} had {wallet}, was changed by {amount}, and the event says {balance_after}"
            )
        });
        *wallet = balance_after;
    }

    pub fn finish(&self, findings: &mut Findings) {
        let Totals { charged, adjusted, balances, takings } = self.totals();
        let adds_up = charged as i128 + adjusted == balances as i128 + takings;
        findings.holds(Proof::PointsAreConserved, adds_up, || {
            format!("{charged} charged and {adjusted} adjusted differ from {balances} in wallets and {takings} takings")
        });
    }

    pub fn totals(&self) -> Totals {
        Totals {
            charged: self.charged,
            adjusted: self.adjusted,
            balances: self.wallets.values().map(|points| u128::from(*points)).sum(),
            takings: self.taken_in,
        }
    }

    pub fn balances(&self) -> impl Iterator<Item = (UserId, u64)> {
        self.wallets.iter().map(|(user_id, points)| (*user_id, *points))
    }
}

/// Sums of points. Takings are net of refunds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// The sum of all charges.
    pub charged: u128,
    /// The sum of all adjustments.
    pub adjusted: i128,
    /// The sum of all balances.
    pub balances: u128,
    /// The sum of payments minus the sum of refunds.
    pub takings: i128,
}

fn price(hold: &Hold) -> i128 {
    i128::from(hold.total_price.get())
}
