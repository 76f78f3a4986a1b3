//! What every user has in points.

use domain::{
    Event, Points, PointsCharged, PointsEvent, RecordedEvent, ReservationPaid, ReservationRefunded, SaleEvent, UserId,
};
use imbl::OrdMap;
use serde::{Deserialize, Serialize};

/// Balances by user.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Balances {
    balances: OrdMap<UserId, Points>,
}

impl Balances {
    /// The balance of `user_id`: none for a wallet never used.
    pub fn balance(&self, user_id: UserId) -> Points {
        self.balances.get(&user_id).copied().unwrap_or(Points::ZERO)
    }

    /// Whether `user_id` has a wallet.
    pub fn has(&self, user_id: UserId) -> bool {
        self.balances.contains_key(&user_id)
    }

    pub(crate) fn apply(&mut self, recorded: &RecordedEvent) {
        match &recorded.event {
            Event::Points(PointsEvent::PointsCharged(PointsCharged { user_id, balance_after, .. })) => {
                self.balances.insert(*user_id, *balance_after);
            }
            Event::Points(PointsEvent::PointsAdjusted(adjusted)) => {
                self.balances.insert(adjusted.user_id, adjusted.balance_after);
            }
            Event::Sale(SaleEvent::ReservationPaid(ReservationPaid { hold, balance_after, .. }))
            | Event::Sale(SaleEvent::ReservationRefunded(ReservationRefunded { hold, balance_after, .. })) => {
                self.balances.insert(hold.user_id, *balance_after);
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
}

#[cfg(test)]
mod tests {
    use crate::testing::*;
    use domain::Points;
    use domain::spec::*;

    #[test]
    fn a_balance_is_what_the_last_event_left() {
        let events = [charged(ANN, 500, 500), held(1, ANN, [1]), paid(1, 1, ANN, [1], 400)];
        let mut models = shown_on_sale(events);
        assert_eq!(models.balances.balance(ANN), Points::new(400));
        fold(&mut models, [refunded(1, 1, ANN, [1], 500)]);
        assert_eq!(models.balances.balance(ANN), Points::new(500));
    }

    #[test]
    fn a_wallet_never_used_is_empty() {
        assert_eq!(shown_on_sale([charged(ANN, 500, 500)]).balances.balance(BOB), Points::ZERO);
    }
}
