//! What the log says of an opening, read afterwards, and proved by the program's own tools.

use std::collections::BTreeSet;

use domain::{Event, RecordedEvent, RoomEvent, SaleEvent, SeatId};
use reprise::log::{LogAddress, open};

use super::{PEOPLE, SEATS};
use crate::BenchError;
use crate::http::child::{program, text};
use crate::sale::PRICE;
use crate::scenarios::Sale;
use crate::scenarios::fold::events;

/// What happened.
#[derive(Debug, Default)]
pub struct Books {
    pub joined: u64,
    pub admitted: u64,
    pub no_shows: u64,
    charged: i128,
    paid: u64,
    sold: BTreeSet<SeatId>,
    last_number: u64,
    is_paused: bool,
    pauses: u64,
}

/// Ends the server, and reads what it wrote.
pub async fn prove(sale: Sale) -> Result<Books, BenchError> {
    let folder = sale.audit()?;
    program(&["draw", "verify", "--data", text(folder.path())?])?;
    let log = open(&LogAddress::Sqlite, folder.path()).await?;
    let mut books = Books::default();
    for recorded in events(&log).await? {
        books.note(&recorded)?;
    }
    log.close().await;
    let found = (books.joined, books.pauses, books.sold.len() as u64, books.charged, books.paid);
    if found != (PEOPLE, 1, SEATS, (SEATS * PRICE).into(), SEATS * PRICE) || books.no_shows == 0 {
        return Err(BenchError::Books(format!("they do not agree: {books:?}")));
    }
    Ok(books)
}

impl Books {
    fn note(&mut self, recorded: &RecordedEvent) -> Result<(), BenchError> {
        let wrong = |what: &str| Err(BenchError::Books(format!("position {}: {what}", recorded.head.position)));
        match &recorded.event {
            Event::Room(event) => match event {
                RoomEvent::TokenIssued(_) => self.joined += 1,
                RoomEvent::TokenAdmitted(_) if self.is_paused => return wrong("let in while paused"),
                RoomEvent::TokenAdmitted(admitted) if admitted.queue_number <= self.last_number => {
                    return wrong("let in out of order");
                }
                RoomEvent::TokenAdmitted(admitted) => {
                    (self.admitted, self.last_number) = (self.admitted + 1, admitted.queue_number);
                }
                // Nobody is there for so long that anything else than the time of arrival runs out.
                RoomEvent::TokenExpired(_) if self.is_paused => return wrong("run out while paused"),
                RoomEvent::TokenExpired(_) => self.no_shows += 1,
                RoomEvent::SalePaused(_) => (self.is_paused, self.pauses) = (true, self.pauses + 1),
                RoomEvent::SaleResumed(_) => self.is_paused = false,
                RoomEvent::RoomConfigured(_)
                | RoomEvent::TokenArrived(_)
                | RoomEvent::RoomLeft(_)
                | RoomEvent::TokenGranted(_) => {}
            },
            Event::Sale(SaleEvent::SeatsHeld(_)) if self.is_paused => return wrong("held while paused"),
            Event::Sale(SaleEvent::ReservationPaid(paid)) => {
                self.paid += paid.hold.total_price.get();
                if !paid.hold.seat_ids().all(|seat_id| self.sold.insert(seat_id)) {
                    return wrong("sold twice");
                }
            }
            Event::Points(_) => self.charged += recorded.event.movements().map(|moved| moved.amount).sum::<i128>(),
            Event::Sale(_) | Event::Log(_) | Event::Opening(_) | Event::Users(_) | Event::Catalogue(_) => {}
        }
        Ok(())
    }
}
