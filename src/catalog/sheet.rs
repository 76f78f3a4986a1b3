//! Reads a CSV of seats, as spreadsheets and box offices use them: a header line, then one line for each seat. The
//! columns have the names of the members in JSON. The columns of the concert and the schedule may be filled only in the
//! first line of a show.

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

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMN_NAMES: &str = "concertName,artist,venue,startsAt,zoneName,seatName,price,row,number";

    fn refused(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    fn seats(file: &CatalogFile) -> Vec<(usize, usize, String)> {
        let mut seats = Vec::new();
        for (c, concert) in file.concerts.iter().enumerate() {
            for (s, schedule) in concert.schedules.iter().flatten().enumerate() {
                seats.extend(schedule.seats.iter().flatten().map(|seat| (c, s, seat.seat_name.clone())));
            }
        }
        seats
    }

    #[test]
    fn a_line_is_a_seat() {
        let text = format!(
            "{COLUMN_NAMES}\nA,B,C,2027-12-24T10:30:00Z,VIP,A-1,200000,A,1\nA,B,C,2027-12-24T10:30:00Z,VIP,A-2,200000,A,2\n"
        );
        let file = read(&text).unwrap();
        let seat = &file.concerts[0].schedules.as_ref().unwrap()[0].seats.as_ref().unwrap()[1];
        assert_eq!((seat.row.as_deref(), seat.number, seat.price, seat.line), (Some("A"), Some(2), 200_000, Some(3)));
        assert_eq!(seats(&file), [(0, 0, "A-1".to_owned()), (0, 0, "A-2".to_owned())]);
    }

    #[test]
    fn concerts_and_dates_may_come_in_any_order_and_are_as_the_line_before_where_left_out() {
        let lines = [
            "A,B,C,2027-12-24T10:30:00Z,Z,1,5,,",
            ",,,,Z,2,5,,",
            ",,,2027-12-25T10:30:00Z,Z,3,5,,",
            "D,B,C,2027-12-24T10:30:00Z,Z,4,5,,",
        ];
        let file = read(&[&[COLUMN_NAMES], &lines[..], &lines[..1]].concat().join("\r\n")).unwrap();
        let at = |c: usize, s: usize, name: &str| (c, s, name.to_owned());
        assert_eq!(seats(&file), [at(0, 0, "1"), at(0, 0, "2"), at(0, 0, "1"), at(0, 1, "3"), at(1, 0, "4")]);
    }

    #[test]
    fn a_spreadsheets_own_ways_are_understood() {
        let semicolons = COLUMN_NAMES.replace(',', ";") + "\nA;B;C;2027-12-24T10:30:00Z;Z;1;5;;\n";
        let tabs = COLUMN_NAMES.replace(',', "\t") + "\nA\tB\tC\t2027-12-24T10:30:00Z\tZ\t1\t5\t\t\n";
        let titles =
            "Concert Name,ARTIST,venue,starts_at,Zone,Price,Row,Number\n\"A, live\",B,C,2027-12-24T10:30:00Z,Z,5,R,7\n";
        for text in [&semicolons, &tabs, titles] {
            assert_eq!(read(text).unwrap().concerts.len(), 1, "{text}");
        }
        assert_eq!(seats(&read(titles).unwrap()), [(0, 0, "R-7".to_owned())]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        assert!(refused("hello\nworld\n").contains("neither JSON nor a CSV"));
        assert!(refused("concertName,artist\n").contains("no column venue; line 1: there is no column startsAt;"));
        assert!(refused(&format!("{COLUMN_NAMES},colour\n")).contains("no column \"colour\""));
        assert!(refused(&format!("{COLUMN_NAMES},Row\n")).contains("two columns row"));
        assert!(refused(COLUMN_NAMES).contains("no seats"));
        let line = |line: &str| refused(&format!("{COLUMN_NAMES}\nA,B,C,2027-12-24T10:30:00Z,Z,1,5,,\n{line}\n"));
        assert!(line("A,B,C,2027-12-24T10:30:00Z,Z,2,\"5,000\",,").contains("line 3: price must be a number without"));
        assert!(line("A,B,C,2027-12-24T10:30:00Z,,2,5,,").contains("line 3: zoneName is empty"));
        assert!(
            line("A,B,C,2027-12-24T10:30:00Z,Z,2,,,\n,,,,Z,3,x,,")
                .contains("line 3: price is empty; line 4: price must")
        );
        assert!(line("A,B,C").contains('3'));
    }
}
