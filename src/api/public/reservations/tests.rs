use super::*;

fn read(body: &str) -> Result<Seats, Problem> {
    let mut members = Members::of(body.as_bytes())?;
    let seats = seats(&mut members);
    members.complete(seats)
}

fn these<const N: usize>(numbers: [u64; N]) -> Result<Seats, Problem> {
    Ok(Seats::These(numbers.map(|number| SeatId::try_from(number).unwrap()).to_vec()))
}

fn some(quantity: usize) -> Wanted {
    Wanted { quantity, zone: None, max_price: None, together: Together::Preferred }
}

#[test]
fn one_seat_or_up_to_four_are_reserved() {
    assert_eq!(read(r#"{"seatId":7}"#), these([7]));
    assert_eq!(read(r#"{"seatIds":[7]}"#), these([7]));
    assert_eq!(read(r#"{"seatIds":[4,3,2,1]}"#), these([4, 3, 2, 1]));
}

#[test]
fn neither_both_and_five_are_refused() {
    for body in ["{}", r#"{"seatId":1,"seatIds":[1]}"#, r#"{"seatIds":[1,2,3,4,5]}"#, r#"{"seatId":[1]}"#] {
        assert_eq!(read(body).unwrap_err().code(), "invalid-request", "{body}");
    }
}

#[test]
fn so_many_seats_are_reserved_somewhere() {
    assert_eq!(read(r#"{"quantity":1}"#), Ok(Seats::Some(some(1))));
    assert_eq!(read(r#"{"quantity":4,"together":"PREFERRED"}"#), Ok(Seats::Some(some(4))));
    let all = r#"{"quantity":2,"zoneName":" E\u0301 ","maxPrice":0,"together":"REQUIRED"}"#;
    let (zone, max_price) = (Some("\u{c9}".to_owned()), Some(Points::ZERO));
    let wanted = Wanted { quantity: 2, zone, max_price, together: Together::Required };
    assert_eq!(read(all), Ok(Seats::Some(wanted)));
}

#[test]
fn a_quantity_goes_with_its_own_members_only_and_they_with_it() {
    let wrong = [
        r#"{"quantity":0}"#,
        r#"{"quantity":5}"#,
        r#"{"quantity":"2"}"#,
        r#"{"quantity":2,"seatId":1}"#,
        r#"{"quantity":2,"seatIds":[1]}"#,
        r#"{"seatId":1,"zoneName":"A"}"#,
        r#"{"seatId":1,"maxPrice":5}"#,
        r#"{"seatIds":[1],"together":"REQUIRED"}"#,
        r#"{"zoneName":"A"}"#,
        r#"{"quantity":2,"together":"required"}"#,
        r#"{"quantity":2,"together":true}"#,
        r#"{"quantity":2,"zoneName":""}"#,
        r#"{"quantity":2,"zoneName":7}"#,
        r#"{"quantity":2,"maxPrice":-1}"#,
        r#"{"quantity":2,"maxPrice":1.5}"#,
    ];
    for body in wrong {
        assert_eq!(read(body).unwrap_err().code(), "invalid-request", "{body}");
    }
}
