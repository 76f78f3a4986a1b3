//! `GET /problems/…`: the page to which a problem's `type` leads. It says what the problem means, and what to do.

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;

use super::contract::{self, Operation};
use super::kinds::{self, ProblemKind};
use super::problem::{Outcome, Problem};

/// The route of these pages.
pub const PATH: &str = "/problems/{code}";
/// The policy of a page without scripts.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The description of `GET /problems/…`.
pub fn said() -> Operation {
    contract::file("A page that explains a problem and says what to do.", "text/html").may(&[&kinds::ROUTE_NOT_FOUND])
}

/// `GET /problems/…`.
pub async fn page<S>(_: S, request: Request) -> Outcome {
    let code = request.uri().path().trim_start_matches("/problems/");
    let missing = || Problem::new(&kinds::ROUTE_NOT_FOUND, "There is no problem with this code.");
    let kind = kinds::ALL.iter().find(|kind| kind.code == code).ok_or_else(missing)?;
    let media_type = HeaderValue::from_static("text/html; charset=utf-8");
    let headers = [(header::CONTENT_TYPE, media_type), (header::CONTENT_SECURITY_POLICY, POLICY)];
    Ok((headers, text(kind)).into_response())
}

fn text(kind: &ProblemKind) -> String {
    let ProblemKind { status, code, title, means, remedy } = kind;
    let (title, means, remedy) = (marked_up(title), marked_up(means), marked_up(remedy));
    format!(
        r#"<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>{code}: {title}</title>
    <link rel="icon" href="/web/icon.svg" />
    <link rel="stylesheet" href="/web/style.css" />
  </head>
  <body>
    <main>
      <h1>{title}</h1>
      <p><code>{code}</code>, status {status}</p>
      <h2>What it means</h2>
      <p>{means}</p>
      <h2>What to do</h2>
      <p>{remedy}</p>
    </main>
  </body>
</html>
"#,
        status = status.as_u16()
    )
}

/// Converts a text to HTML: words between backticks become code.
fn marked_up(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let parts = escaped.split('`').enumerate();
    parts.map(|(number, part)| if number % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_backticks_is_code_and_nothing_is_markup_of_its_own() {
        assert_eq!(marked_up("Send `a<b>` & wait."), "Send <code>a&lt;b&gt;</code> &amp; wait.");
        for kind in kinds::ALL {
            assert_eq!(
                (kind.means.matches('`').count() % 2, kind.remedy.matches('`').count() % 2),
                (0, 0),
                "{}",
                kind.code
            );
        }
    }
}
