//! Who may ask what: every route of the documents, tried by whoever may not. No list is kept here: the documents say which
//! routes there are, and who may ask.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::identity::{folder_with_keys, jwt, options};
use crate::server::{Answer, Server};

/// A method of a path, as a document has it.
struct Route {
    method: Method,
    path: String,
    says: Value,
}

/// Every route of a document.
fn routes(document: &Value) -> Vec<Route> {
    let paths = document["paths"].as_object().unwrap().iter();
    let routes = paths.flat_map(|(path, methods)| {
        methods.as_object().unwrap().iter().map(|(method, says)| {
            let method = method.to_uppercase().parse().unwrap();
            Route { method, path: path.clone(), says: says.clone() }
        })
    });
    routes.collect()
}

impl Route {
    /// Whether its answers have this problem, among those of this status.
    fn may_answer(&self, status: u16, code: &str) -> bool {
        let reference = self.says["responses"][status.to_string()]["$ref"].as_str().unwrap_or_default();
        reference.rsplit('/').next().unwrap().split('.').any(|named| named == code)
    }

    /// The roles that it asks for; `None` where it asks for none.
    fn roles(&self) -> Option<Vec<&str>> {
        let asked = self.says["security"].as_array().unwrap().iter().find_map(|scheme| scheme["jwt"].as_array());
        asked.map(|roles| roles.iter().map(|role| role.as_str().unwrap()).collect())
    }

    /// Whether the room's token is asked for.
    fn is_a_holders(&self) -> bool {
        self.says["security"].as_array().unwrap().iter().any(|scheme| scheme.get("token").is_some())
    }

    /// Its path, with these in place of its names.
    fn path_of(&self, names: &[(&str, &str)]) -> String {
        names.iter().fold(self.path.clone(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value))
    }
}

/// The status, and the code where it is a problem.
async fn asked(route: &Route, request: RequestBuilder, authorization: &str) -> (u16, String) {
    let request = if authorization.is_empty() { request } else { request.header("Authorization", authorization) };
    let request = if route.method == Method::GET { request } else { request.json(&json!({})) };
    let answer = Answer::of(request).await;
    (answer.status.as_u16(), answer.body["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn every_operators_route_is_for_the_roles_that_the_document_names_and_for_nobody_else() {
    let (folder, keys) = folder_with_keys();
    let data = folder.path().join("data");
    let server = Server::start_in(&data, &[&options(&keys)[..], &["--operations", "127.0.0.1:0"]].concat());
    let document: Value = server.ask_operations("/openapi.json").send().await.unwrap().json().await.unwrap();
    let names =
        [("scheduleId", "9999"), ("userId", "9999"), ("reservationId", "9999"), ("name", "nothing"), ("code", "x")];
    let mut tried = 0;
    for route in routes(&document) {
        let Some(roles) = route.roles() else { continue };
        let place = format!("{} {}", route.method, route.path);
        let ask = async |authorization: &str| {
            let request = server.request_operations(route.method.clone(), &route.path_of(&names));
            asked(&route, request, authorization).await
        };
        assert_eq!(ask("").await, (401, "identity-missing".to_owned()), "{place} of nobody");
        assert_eq!(ask("Bearer x").await, (401, "identity-invalid".to_owned()), "{place} with no JWT");
        let buyer = ask(&jwt(json!({ "sub": "ann" }))).await;
        assert_eq!(buyer, (403, "role-missing".to_owned()), "{place} of a buyer");
        for role in ["viewer", "operator", "cashier"] {
            let (status, code) = ask(&jwt(json!({ "sub": "kim", "roles": [role] }))).await;
            if roles.contains(&role) {
                assert!(![401, 403].contains(&status), "{place} of a {role}: {status} {code}");
            } else {
                assert_eq!((status, &*code), (403, "role-missing"), "{place} of a {role}");
            }
            tried += 1;
        }
    }
    assert!(tried > 75, "{tried}");
}

#[tokio::test]
async fn where_no_key_could_be_had_every_route_that_asks_for_an_identity_says_so() {
    let (folder, keys) = folder_with_keys();
    std::fs::write(&keys, json!({ "keys": [] }).to_string()).unwrap();
    let data = folder.path().join("data");
    let server = Server::start_in(&data, &[&options(&keys)[..], &["--operations", "127.0.0.1:0"]].concat());
    let names = [("scheduleId", "1"), ("userId", "1"), ("reservationId", "1"), ("name", "sales")];
    let somebody = jwt(json!({ "sub": "kim", "roles": ["operator"] }));
    let operations: Value = server.ask_operations("/openapi.json").send().await.unwrap().json().await.unwrap();
    let public = server.get("/openapi.json", "").await.body;
    let mut tried = 0;
    for (document, is_public) in [(public, true), (operations, false)] {
        for route in routes(&document).iter().filter(|route| route.roles().is_some()) {
            let path = route.path_of(&names);
            let request = match is_public {
                true => server.request(route.method.clone(), &path, ""),
                false => server.request_operations(route.method.clone(), &path),
            };
            let answer = asked(route, request, &somebody).await;
            assert_eq!(answer, (503, "identity-unavailable".to_owned()), "{} {}", route.method, route.path);
            tried += 1;
        }
    }
    assert!(tried > 30, "{tried}");
    let ready = [server.request(Method::GET, "/readyz", ""), server.request_operations(Method::GET, "/readyz")];
    for request in ready {
        assert_eq!(Answer::of(request).await.problem(), (503, "identity-unavailable"));
    }
}

#[tokio::test]
async fn every_buyers_route_is_for_the_token_of_the_user_that_it_names() {
    let server = Server::start(&["--demo", "--capacity", "2", "--operations", "127.0.0.1:0"]);
    let (ann, bob, waits) = (server.token(11).await, server.token(12).await, server.token(13).await);
    let (left, expelled) = (server.token(14).await, server.token(15).await);
    server.delete("/api/tokens/me", &left).await.ok();
    let expulsion = server.request_operations(Method::POST, "/api/operations/users/15/expulsion");
    assert_eq!(expulsion.json(&json!({ "reason": "a script" })).send().await.unwrap().status(), 200);
    let seat = server.get("/api/concerts/1/schedules/296/seats", &ann).await.ok()[0]["seatId"].clone();
    let hold = json!({ "concertId": 1, "scheduleId": 296, "userId": 11, "seatId": seat });
    let reservation = server.post("/api/concerts/reservation", &ann, hold).await.ok()["reservationId"].to_string();
    let document = server.get("/openapi.json", "").await.body;
    let (stranger, names) =
        ("00000000-0000-4000-8000-000000000000", [("userId", "11"), ("id", &*reservation), ("position", "1")]);
    let names = [&names[..], &[("concertId", "1"), ("scheduleId", "296")]].concat();
    let mut tried = 0;
    for route in routes(&document).iter().filter(|route| route.is_a_holders()) {
        let place = format!("{} {}", route.method, route.path);
        let ask = async |token: &str| {
            asked(route, server.request(route.method.clone(), &route.path_of(&names), ""), token).await
        };
        assert_eq!(ask("").await, (401, "token-missing".to_owned()), "{place} of nobody");
        assert_eq!(ask("token").await, (401, "token-malformed".to_owned()), "{place} with no token");
        assert_eq!(ask(stranger).await, (401, "token-unknown".to_owned()), "{place} of a stranger");
        assert_eq!(ask(&expelled).await, (401, "token-expired".to_owned()), "{place} of who was expelled");
        let names_somebody = route.path.contains("{userId}") || route.path.contains("{id}");
        let is_judged_late = route.says["requestBody"]["required"] == true;
        if names_somebody && !is_judged_late {
            assert_eq!(ask(&bob).await, (403, "not-yours".to_owned()), "{place} of another");
        }
        if route.method == Method::GET && !names_somebody {
            let expected = if route.may_answer(403, "not-admitted") { (403, "not-admitted") } else { (200, "") };
            for (whose, token) in [("waits", &waits), ("has left", &left)] {
                let (status, code) = ask(token).await;
                assert_eq!((status, &*code), expected, "{place} of who {whose}");
            }
        }
        tried += 1;
    }
    assert!(tried >= 17, "{tried}");
    let charge = server.post("/api/users/11/points/charge", &bob, json!({ "amount": 5 })).await;
    assert_eq!(charge.problem(), (403, "not-yours"), "whose body is right is judged, too");
    let pay = json!({ "reservationId": reservation.parse::<u64>().unwrap(), "userId": 11, "paymentAmount": 1 });
    assert_eq!(server.post("/api/payments", &bob, pay).await.problem(), (403, "not-yours"));
    let hold = json!({ "concertId": 1, "scheduleId": 296, "userId": 11, "seatId": 50 });
    assert_eq!(server.post("/api/concerts/reservation", &bob, hold).await.problem(), (403, "not-yours"));
    assert_eq!(server.get(&format!("/api/reservations/{reservation}"), &ann).await.status, 200);
}
