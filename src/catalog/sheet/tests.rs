//! CSVs as spreadsheets save them, and mistakes in them.

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
        line("A,B,C,2027-12-24T10:30:00Z,Z,2,,,\n,,,,Z,3,x,,").contains("line 3: price is empty; line 4: price must")
    );
    assert!(line("A,B,C").contains('3'));
}
