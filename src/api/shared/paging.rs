//! Pages of lists that only grow. The link to the next page holds the key of the last line, so that new lines do not
//! move the pages.

use axum::http::{HeaderValue, Uri, header};
use axum::response::Response;
use domain::Position;
use projections::sql::store::Order;
use serde::Serialize;

use super::json::{self, LOG_POSITION};
use super::parameters::Parameters;

/// How many lines a page has without `limit`.
const DEFAULT_PAGE: u32 = 50;

/// The page that a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct PageAsked {
    /// The order of the lines.
    pub order: Order,
    /// The key of the last line of the page before it.
    pub after: Option<u64>,
    limit: u32,
}

impl PageAsked {
    /// Reads the parameters of a list that has only one order: the newest first.
    pub fn of(parameters: &mut Parameters) -> Self {
        Self::in_order(parameters, Order::Descending)
    }

    /// Reads the parameters of a list that has both orders.
    pub fn of_either_order(parameters: &mut Parameters) -> Self {
        let order = parameters.order().unwrap_or(Order::Descending);
        Self::in_order(parameters, order)
    }

    fn in_order(parameters: &mut Parameters, order: Order) -> Self {
        let after = parameters.after(|text| key(order, text));
        Self { order, after, limit: parameters.limit().unwrap_or(DEFAULT_PAGE) }
    }

    /// How many lines to look for: one more than the page has, which shows whether there is another page.
    pub fn lines(&self) -> u32 {
        self.limit + 1
    }

    /// Answers with these lines, which come with their keys, and links to the next page if there are more.
    pub fn respond(&self, asked: &Uri, mut lines: Vec<(u64, impl Serialize)>) -> Response {
        let limit = self.limit as usize;
        let has_more = lines.len() > limit;
        lines.truncate(limit);
        let next = lines.last().filter(|_| has_more).map(|(key, _)| next(asked, &cursor(self.order, *key)));
        let mut response = json::answer(&lines.iter().map(|(_, shown)| shown).collect::<Vec<_>>());
        if let Some(link) = next.and_then(|link| HeaderValue::try_from(link).ok()) {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

/// Adds the position to a response.
pub fn at(position: Position, mut response: Response) -> Response {
    response.headers_mut().insert(LOG_POSITION, position.get().into());
    response
}

/// Makes a cursor. It holds the order, so that a cursor of the other order is refused.
fn cursor(order: Order, key: u64) -> String {
    format!("{}{key:x}", letter(order))
}

fn key(order: Order, cursor: &str) -> Option<u64> {
    let digits = cursor.strip_prefix(letter(order))?;
    let is_hex = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_hex.then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}

fn letter(order: Order) -> char {
    match order {
        Order::Descending => 'd',
        Order::Ascending => 'a',
    }
}

/// Makes the address of the next page: all bytes stay, except for the cursor.
pub fn next(asked: &Uri, cursor: &str) -> String {
    let others = asked.query().into_iter().flat_map(|query| query.split('&'));
    let is_cursor = |pair: &str| form_urlencoded::parse(pair.as_bytes()).any(|(name, _)| name == "after");
    let others = others.filter(|pair| !pair.is_empty() && !is_cursor(pair));
    let query: Vec<String> = others.map(str::to_owned).chain([format!("after={cursor}")]).collect();
    format!("<{}?{}>; rel=\"next\"", asked.path(), query.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &str) -> Result<PageAsked, &'static str> {
        let mut parameters = Parameters::of(&format!("/path?{query}").parse().unwrap());
        let page = PageAsked::of_either_order(&mut parameters);
        parameters.complete().map(|()| page).map_err(|problem| problem.code())
    }

    #[test]
    fn a_page_has_50_lines_and_at_most_200_and_the_newest_first() {
        assert_eq!(page(""), Ok(PageAsked { order: Order::Descending, after: None, limit: 50 }));
        let oldest = Ok(PageAsked { order: Order::Ascending, after: Some(255), limit: 200 });
        assert_eq!(page("limit=200&order=asc&after=aff"), oldest);
        assert_eq!(page("limit=1&after=d0"), Ok(PageAsked { order: Order::Descending, after: Some(0), limit: 1 }));
    }

    #[test]
    fn what_is_no_page_is_refused() {
        let wrong = ["limit=0", "limit=201", "limit=", "limit=x", "limit=-1", "limit=050", "limit=1&limit=1"];
        let wrong = wrong.into_iter().chain(["order=", "order=up", "order=DESC", "after=", "after=7", "after=d+7"]);
        for query in
            wrong.chain(["after=aff", "order=asc&after=dff", "after=dxy", "after=dFF", "after=dfffffffffffffffff"])
        {
            assert_eq!(page(query), Err("invalid-request"), "{query}");
        }
    }

    #[test]
    fn a_link_keeps_all_other_parameters_as_they_were_written() {
        let asked = "/api/users/1/payments?limit=2&x=%20a&after=d9&minPosition=7".parse().unwrap();
        let link = "</api/users/1/payments?limit=2&x=%20a&minPosition=7&after=d5>; rel=\"next\"";
        assert_eq!(next(&asked, &cursor(Order::Descending, 5)), link);
        assert_eq!(next(&"/path".parse().unwrap(), "a1"), "</path?after=a1>; rel=\"next\"");
        assert_eq!(next(&"/path?%61fter=d9&x=1".parse().unwrap(), "d5"), "</path?x=1&after=d5>; rel=\"next\"");
    }
}
