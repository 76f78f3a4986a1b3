use super::*;
use domain::SeatId;

/// The one member `n`, 1..=10.
fn read(body: &str) -> Result<u64, Problem> {
    let mut members = Members::of(body.as_bytes())?;
    let n = members.integer("n", 1..=10);
    members.complete(n)
}

fn refused(body: &str, errors: &[(&str, &'static str)]) {
    let error = |(field, message): &(&str, &'static str)| FieldError {
        field: (*field).to_owned(),
        message: Cow::Borrowed(message),
    };
    let errors: Vec<_> = errors.iter().map(error).collect();
    assert_eq!(read(body), Err(Problem::invalid_request(&errors)), "{body}");
}

#[test]
fn a_number_in_its_range_is_read() {
    assert_eq!(read(r#" {"n":1} "#), Ok(1));
    assert_eq!(read("{\"n\":\n10}"), Ok(10));
    assert_eq!(read(r#"{"\u006e":7}"#), Ok(7));
}

#[test]
fn what_is_no_whole_number_in_the_range_is_refused() {
    let wrong = ["0", "11", "-1", "-0", "1.0", "1e0", "\"1\"", "true", "[1]", "{}", "1e999"];
    for value in wrong.into_iter().chain(["18446744073709551616", "99999999999999999999999999"]) {
        refused(&format!(r#"{{"n":{value}}}"#), &[("n", "must be a whole number from 1 to 10")]);
    }
}

#[test]
fn every_wrong_member_is_named() {
    refused("{}", &[("n", "is missing")]);
    refused(r#"{"n":1,"n":1}"#, &[("n", "is given more than once")]);
    refused(r#"{"n":1,"m":1}"#, &[("m", "is not a member of this request")]);
    refused(
        r#"{"N":1,"m":1}"#,
        &[("n", "is missing"), ("N", "is not a member of this request"), ("m", "is not a member of this request")],
    );
}

#[test]
fn what_is_null_is_as_if_it_were_left_out() {
    refused(r#"{"n":null}"#, &[("n", "is missing")]);
    assert_eq!(read(r#"{"n":7,"m":null}"#), Ok(7));
    assert_eq!(read(r#"{"n":null,"n": 7}"#), Ok(7));
}

#[test]
fn of_members_that_nobody_asked_for_16_are_named_and_long_names_cut() {
    let many = |count: usize| (0..count).map(|number| format!(r#","x{number:02}":1"#)).collect::<String>();
    let named = |body: String| {
        let problem = read(&body).unwrap_err().render(&super::super::request_id::RequestId::of(&Default::default()));
        assert_eq!(problem.status(), 422);
        format!("{:?}", read(&body).unwrap_err()).matches(r#""field": String"#).count()
    };
    assert_eq!(named(format!(r#"{{"n":1{}}}"#, many(16))), 16);
    assert_eq!(named(format!(r#"{{"n":1{}}}"#, many(17))), 16);
    let (fits, long) = ("y".repeat(64), "y".repeat(65));
    assert_eq!(shortened(Cow::Borrowed(&fits)), fits);
    assert_eq!(shortened(Cow::Borrowed(&long)), format!("{fits}…"));
}

#[test]
fn json_that_is_no_object_is_not_valid() {
    for body in ["[1]", "1", "null", "\"n\""] {
        refused(body, &[("body", "must be an object")]);
    }
}

#[test]
fn what_is_not_json_is_malformed() {
    for body in ["", " ", "{", "{\"n\":1}x", "{\"n\":01}", "{n:1}", "{\"n\":1,}", "\u{feff}{}", r#"{"\ud800":1}"#] {
        assert_eq!(read(body).unwrap_err().code(), "malformed-body", "{body}");
    }
    assert_eq!(Members::of(b"{\"n\":\"\xff\"}").unwrap_err().code(), "malformed-body");
    assert_eq!(read(&"[".repeat(16_000)).unwrap_err().code(), "malformed-body");
}

#[test]
fn a_movement_goes_up_or_down_to_its_limit_and_is_not_nothing() {
    let read = |amount: &str| {
        let body = format!(r#"{{"amount":{amount}}}"#);
        let mut members = Members::of(body.as_bytes()).unwrap();
        let amount = members.movement("amount", 1_000);
        members.complete(amount).map_err(|problem| problem.code())
    };
    assert_eq!((read("1000"), read("-1000"), read("-1")), (Ok(1_000), Ok(-1_000), Ok(-1)));
    for wrong in ["0", "-0", "1001", "-1001", "1.0", "\"1\"", "null", "-99999999999999999999"] {
        assert_eq!(read(wrong), Err("invalid-request"), "{wrong}");
    }
}

#[test]
fn a_list_of_ids_is_neither_empty_nor_long_nor_repetitive() {
    let read = |list: &str| {
        let body = format!(r#"{{"ids":{list}}}"#);
        let mut members = Members::of(body.as_bytes()).unwrap();
        let ids = members.distinct_ids::<SeatId>("ids", 4);
        members.complete(ids).map(|ids| ids.into_iter().map(SeatId::get).collect::<Vec<_>>())
    };
    assert_eq!(read("[3]"), Ok(vec![3]));
    assert_eq!(read("[4,3,2,1]"), Ok(vec![4, 3, 2, 1]));
    for wrong in ["[]", "[1,2,3,4,5]", "[1,1]", "[0]", "[1,\"2\"]", "[1.0]", "1", "null", "{}", "[[1]]"] {
        assert_eq!(read(wrong).unwrap_err().code(), "invalid-request", "{wrong}");
    }
}
