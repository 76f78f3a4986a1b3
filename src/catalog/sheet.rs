//! Reads a CSV of seats, as spreadsheets and box offices use them: a header line, then one line for each seat. The
//! columns have the names of the members in JSON. The columns of the concert and the schedule may be filled only in the
//! first line of a show.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use csv::{ReaderBuilder, StringRecord, Trim};

use super::CatalogError;
use super::faults::Faults;
use super::file::{CatalogFile, ConcertEntry, ScheduleEntry, SeatEntry};

/// The columns: for each member in JSON, the titles that stand for it.
const COLUMNS: [(&str, &[&str]); 18] = [
    ("concertId", &[]),
    ("concertName", &["concert"]),
    ("artist", &[]),
    ("venue", &[]),
    ("scheduleId", &[]),
    ("startsAt", &["starts"]),
    ("timeZone", &[]),
    ("saleOpensAt", &["saleopens"]),
    ("saleClosesAt", &["salecloses"]),
    ("seatsPerUser", &[]),
    ("zoneName", &["zone"]),
    ("seatId", &[]),
    ("seatName", &["seat", "name"]),
    ("price", &[]),
    ("row", &["rowname"]),
    ("number", &["seatnumber"]),
    ("x", &[]),
    ("y", &[]),
];
/// The columns of the concert, and below it those of the schedule.
const OF_CONCERT: [&str; 4] = ["concertId", "concertName", "artist", "venue"];
const OF_SCHEDULE: [&str; 6] = ["scheduleId", "startsAt", "timeZone", "saleOpensAt", "saleClosesAt", "seatsPerUser"];
/// The place of the header, for messages.
const HEADER: &str = "line 1";
/// The required columns.
const REQUIRED: [&str; 6] = ["concertName", "artist", "venue", "startsAt", "zoneName", "price"];

/// Reads a CSV of seats.
///
/// # Errors
/// The text is not such a CSV, or has wrong lines, which the error names.
pub fn read(text: &str) -> Result<CatalogFile, CatalogError> {
    let mut lines = ReaderBuilder::new().delimiter(delimiter(text)).trim(Trim::All).from_reader(text.as_bytes());
    let unreadable = |error: csv::Error| CatalogError::Unreadable(error.to_string());
    let header = Header::of(lines.headers().map_err(unreadable)?)?;
    let (mut sheet, mut faults) = (Sheet::default(), Faults::default());
    for record in lines.records() {
        let record = record.map_err(unreadable)?;
        let number = record.position().map_or(0, csv::Position::line);
        let line = Line { header: &header, record, number };
        faults.or_add(&format!("line {number}"), sheet.add(&line));
    }
    if !faults.is_empty() {
        return Err(CatalogError::Unfit(faults));
    }
    if sheet.concerts.is_empty() {
        return Err(CatalogError::Unreadable("it has a header and no seats".to_owned()));
    }
    Ok(CatalogFile { concerts: sheet.concerts })
}

/// Finds the delimiter: a comma, or the character that spreadsheets use where the comma is the decimal sign.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let count = |delimiter: &u8| header.bytes().filter(|byte| byte == delimiter).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(count).unwrap_or(b',')
}

/// The index of each column.
struct Header(BTreeMap<&'static str, usize>);

impl Header {
    fn of(names: &StringRecord) -> Result<Self, CatalogError> {
        let (mut columns, mut faults) = (BTreeMap::new(), Faults::default());
        let named = names.iter().enumerate().filter(|(_, name)| !name.is_empty());
        let found: Vec<_> = named.map(|(index, name)| (index, name, column(name))).collect();
        if found.iter().all(|(_, _, column)| column.is_none()) {
            let reason = format!("it is neither JSON nor a CSV of seats; the columns of such a CSV are: {}", known());
            return Err(CatalogError::Unreadable(reason));
        }
        for (index, name, column) in found {
            match column {
                None => {
                    faults.add(HEADER, format!("a catalogue has no column {name:?}; its columns are: {}", known()));
                }
                Some(member) if columns.insert(member, index).is_some() => {
                    faults.add(HEADER, format!("there are two columns {member}"));
                }
                Some(_) => {}
            }
        }
        let mut missing: Vec<&str> = REQUIRED.into_iter().filter(|member| !columns.contains_key(member)).collect();
        let has = |member: &str| columns.contains_key(member);
        if !(has("seatName") || has("row") && has("number")) {
            missing.push("seatName");
        }
        for member in missing {
            faults.add(HEADER, format!("there is no column {member}"));
        }
        if faults.is_empty() { Ok(Self(columns)) } else { Err(CatalogError::Unfit(faults)) }
    }
}

/// Finds the member of a column's title, in any spelling.
fn column(title: &str) -> Option<&'static str> {
    let plain: String = title.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let is_it =
        |(member, others): &&(&str, &[&str])| member.eq_ignore_ascii_case(&plain) || others.contains(&plain.as_str());
    COLUMNS.iter().find(is_it).map(|(member, _)| *member)
}

fn known() -> String {
    COLUMNS.map(|(member, _)| member).join(", ")
}

/// A line of the sheet.
struct Line<'a> {
    header: &'a Header,
    record: StringRecord,
    number: u64,
}

impl Line<'_> {
    /// Reads a cell. An empty one counts as left out.
    fn text(&self, member: &str) -> Option<&str> {
        let cell = self.record.get(*self.header.0.get(member)?)?;
        (!cell.is_empty()).then_some(cell)
    }

    fn required(&self, member: &str) -> Result<String, String> {
        self.text(member).map(str::to_owned).ok_or_else(|| format!("{member} is empty"))
    }

    fn number<N: std::str::FromStr>(&self, member: &str) -> Result<Option<N>, String> {
        let number = |cell: &str| {
            cell.parse().map_err(|_| format!("{member} must be a number without blanks and commas; it is {cell:?}"))
        };
        self.text(member).map(number).transpose()
    }

    fn cells<const N: usize>(&self, members: [&str; N]) -> [Option<String>; N] {
        members.map(|member| self.text(member).map(str::to_owned))
    }
}

#[derive(Default)]
struct Sheet {
    concerts: Vec<ConcertEntry>,
    by_concert: BTreeMap<[Option<String>; OF_CONCERT.len()], usize>,
    by_schedule: BTreeMap<(usize, [Option<String>; OF_SCHEDULE.len()]), usize>,
    /// The concert and the schedule of the line before.
    last: Option<(usize, usize)>,
}

impl Sheet {
    fn add(&mut self, line: &Line<'_>) -> Result<(), String> {
        let (concert, schedule) = match (line.cells(OF_CONCERT), line.cells(OF_SCHEDULE)) {
            (concert, schedule) if concert.iter().chain(&schedule).all(Option::is_none) => {
                self.last.ok_or("it names no concert and schedule for this seat, and neither does an earlier line")?
            }
            (concert, schedule) if concert.iter().all(Option::is_none) => {
                let (concert, _) = self.last.ok_or("concertName, artist and venue are empty")?;
                (concert, self.schedule(concert, schedule, line)?)
            }
            (concert, schedule) => {
                let concert = self.concert(concert, line)?;
                (concert, self.schedule(concert, schedule, line)?)
            }
        };
        self.last = Some((concert, schedule));
        let schedules = self.concerts[concert].schedules.get_or_insert_default();
        schedules[schedule].seats.get_or_insert_default().push(seat(line)?);
        Ok(())
    }

    fn concert(&mut self, cells: [Option<String>; OF_CONCERT.len()], line: &Line<'_>) -> Result<usize, String> {
        if let Some(index) = self.by_concert.get(&cells) {
            return Ok(*index);
        }
        self.concerts.push(ConcertEntry {
            line: Some(line.number),
            concert_id: line.number("concertId")?,
            concert_name: line.required("concertName")?,
            artist: line.required("artist")?,
            venue: line.required("venue")?,
            schedules: None,
        });
        self.by_concert.insert(cells, self.concerts.len() - 1);
        Ok(self.concerts.len() - 1)
    }

    fn schedule(
        &mut self,
        concert: usize,
        cells: [Option<String>; OF_SCHEDULE.len()],
        line: &Line<'_>,
    ) -> Result<usize, String> {
        if let Some(index) = self.by_schedule.get(&(concert, cells.clone())) {
            return Ok(*index);
        }
        let schedules = self.concerts[concert].schedules.get_or_insert_default();
        schedules.push(ScheduleEntry {
            line: Some(line.number),
            schedule_id: line.number("scheduleId")?,
            starts_at: line.required("startsAt")?,
            time_zone: line.text("timeZone").map(str::to_owned),
            sale_opens_at: line.text("saleOpensAt").map(str::to_owned),
            sale_closes_at: line.text("saleClosesAt").map(str::to_owned),
            seats_per_user: line.number("seatsPerUser")?,
            zones: None,
            seats: None,
        });
        self.by_schedule.insert((concert, cells), schedules.len() - 1);
        Ok(schedules.len() - 1)
    }
}

fn seat(line: &Line<'_>) -> Result<SeatEntry, String> {
    let (row, number) = (line.text("row").map(str::to_owned), line.number::<u32>("number")?);
    let by_row = || Some(format!("{}-{}", row.as_deref()?, number?));
    let seat_name = line.text("seatName").map(str::to_owned).or_else(by_row);
    Ok(SeatEntry {
        line: Some(line.number),
        seat_id: line.number("seatId")?,
        seat_name: seat_name.ok_or("seatName is empty")?,
        zone_name: line.required("zoneName")?,
        price: line.number("price")?.ok_or("price is empty")?,
        row,
        number,
        x: line.number("x")?,
        y: line.number("y")?,
    })
}
