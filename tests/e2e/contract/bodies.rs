//! Bodies are taken and refused as the documents say: each member left out, at its bounds and one past them, and one too many.

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::DOCUMENTS;
use super::document::Operation;
use crate::server::{Answer, Server, TOKEN_1};

/// A body, and the member that is wrong in it; of one that is fit, the member that is at its bound.
struct Case {
    body: Value,
    member: String,
    is_fit: bool,
}

#[tokio::test]
async fn a_body_is_taken_at_each_bound_and_refused_past_it_by_the_name_of_its_member() {
    let server = Server::start(&["--demo", "--operations", "127.0.0.1:0"]);
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for document in &*DOCUMENTS {
        for operation in document.operations().filter(|operation| !operation.json["requestBody"].is_null()) {
            for case in cases(&operation) {
                let path = needed_parameters(&operation, &operation.path.replace("{name}", "sales"));
                let method: Method = operation.method.parse().unwrap();
                let request = match document.name {
                    "public" => server.request(method, &path, TOKEN_1),
                    _ => server.request_operations(method, &path),
                };
                let answer = Answer::of(request.json(&case.body)).await;
                let is_named = answer.status == 422
                    && answer.body["errors"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .any(|error| error["field"] == case.member);
                tried += 1;
                if is_named == case.is_fit {
                    let (body, told) = (&case.body, &answer.body);
                    wrong.push(format!("{} {path} {}: {body} -> {told}", operation.method, case.member));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(tried > 100, "{tried}");
}

/// The path with the user, reservation and position 1, and its needed parameters.
pub fn needed_parameters(operation: &Operation, path: &str) -> String {
    let parts: Vec<&str> = path.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect();
    let needed = operation.query_parameters().filter(|parameter| parameter["required"] == true);
    let needed = needed.map(|parameter| format!("{}=1", parameter["name"].as_str().unwrap())).collect::<Vec<_>>();
    if needed.is_empty() { parts.join("/") } else { format!("{}?{}", parts.join("/"), needed.join("&")) }
}

/// The kinds of body that an operation takes.
fn variants(operation: &Operation) -> Vec<Value> {
    let schema = operation.body_schema();
    let variants = schema["oneOf"].as_array().cloned().unwrap_or_else(|| vec![schema.clone()]);
    // A file is told by its own documents.
    variants.into_iter().filter(|variant| variant["properties"].is_object()).collect()
}

/// A body that is taken; `None` where none need come.
pub fn fit_body(operation: &Operation) -> Option<Value> {
    if operation.json["requestBody"].is_null() {
        return None;
    }
    let mut body = variants(operation).first().map(fit_members).unwrap_or_default();
    // What may be left out must be there all the same, one of several or where nobody else says it.
    let more = match &*operation.path {
        "/api/tokens" => json!({ "userId": 1 }),
        "/api/operations/schedules/{scheduleId}" => json!({ "startsAt": "2099-01-01T00:00:00Z" }),
        _ => json!({}),
    };
    body.extend(more.as_object().unwrap().clone());
    Some(body.into())
}

fn cases(operation: &Operation) -> Vec<Case> {
    let variants = variants(operation);
    let cases = variants.iter().flat_map(|variant| cases_of(variant, variants.len() > 1));
    cases.filter(|case| !(case.is_fit && is_judged_by_more(&operation.path, &case.body))).collect()
}

/// Whether more than the member's own shape says if the body is fit.
fn is_judged_by_more(path: &str, body: &Value) -> bool {
    match path {
        // Who joins may leave themselves out only where an identity provider names them, and this server has none.
        "/api/tokens" => body["userId"].is_null(),
        // Nor does it know anybody by a subject.
        "/api/operations/users" => true,
        // One of several members must be there, and a null is none.
        "/api/operations/schedules/{scheduleId}" => true,
        // What is put right must have moved points of the user.
        "/api/operations/users/{userId}/adjustments" => !body["corrects"].is_null(),
        // A projection has rows of users or of schedules.
        "/api/operations/projections/{name}/repair" => true,
        _ => false,
    }
}

/// The names of the members that must be there.
fn needed(schema: &Value) -> Vec<&str> {
    schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap()).collect()
}

/// Those members, each with a value that fits.
fn fit_members(schema: &Value) -> Map<String, Value> {
    needed(schema).into_iter().map(|name| (name.to_owned(), fit(&schema["properties"][name]))).collect()
}

fn cases_of(schema: &Value, is_one_of_several: bool) -> Vec<Case> {
    let members = schema["properties"].as_object().unwrap();
    let (needed, fit) = (needed(schema), fit_members(schema));
    let with = |member: &str, value: Value, is_fit| {
        let mut body = fit.clone();
        body.insert(member.to_owned(), value);
        Case { body: body.into(), member: member.to_owned(), is_fit }
    };
    let mut cases = vec![with("surplus", json!(1), false)];
    for (name, member) in members {
        let is_needed = needed.contains(&name.as_str());
        // What tells one kind of body from another may be missing: then it is of the other kind.
        if is_needed && !is_one_of_several {
            let mut body = fit.clone();
            body.remove(name);
            cases.push(Case { body: body.into(), member: name.clone(), is_fit: false });
        }
        cases.extend(at_bounds(member).into_iter().map(|value| with(name, value, true)));
        cases.extend(past_bounds(member).into_iter().map(|value| with(name, value, false)));
    }
    cases
}

/// Whether it is of this type, or null.
fn is(schema: &Value, name: &str) -> bool {
    schema["type"] == name || schema["type"].as_array().is_some_and(|types| types.iter().any(|known| known == name))
}

/// A value that fits.
fn fit(schema: &Value) -> Value {
    if schema["format"] == "date-time" {
        return json!("2099-01-01T00:00:00Z");
    }
    at_bounds(schema).into_iter().find(|value| !value.is_null()).unwrap_or_default()
}

/// A text of so many characters, of two bytes each where they have room in a body.
fn text(characters: u64) -> Value {
    let character = if characters < 4_096 { "é" } else { "e" };
    character.repeat(characters as usize).into()
}

/// Values at the bounds of what fits. Whether a time fits is told by other times.
fn at_bounds(schema: &Value) -> Vec<Value> {
    let null = is(schema, "null").then_some(Value::Null);
    let values = if let Some(words) = schema["enum"].as_array() {
        words.clone()
    } else if schema["format"] == "date-time" {
        Vec::new()
    } else if let Some(pattern) = schema["pattern"].as_str() {
        assert_eq!(pattern, "^[0-9a-fA-F]{64}$", "a pattern that no value is known for");
        vec![json!("ab".repeat(32))]
    } else if is(schema, "integer") {
        ["minimum", "maximum"].map(|bound| schema[bound].clone()).into_iter().filter(|bound| !bound.is_null()).collect()
    } else if is(schema, "string") {
        let characters = [&schema["minLength"], &schema["maxLength"]].map(|length| length.as_u64().unwrap_or(1));
        characters.map(text).into()
    } else if is(schema, "array") {
        let lengths = [&schema["minItems"], &schema["maxItems"]].map(|length| length.as_u64().unwrap_or(1));
        lengths.map(|length| (1..=length).map(Value::from).collect()).into()
    } else {
        Vec::new()
    };
    values.into_iter().chain(null).collect()
}

fn past_bounds(schema: &Value) -> Vec<Value> {
    let mut past = vec![json!({}), json!(true)];
    if !is(schema, "array") {
        past.push(json!([1]));
    }
    if is(schema, "integer") {
        past.extend([json!("1"), json!(1.5)]);
        past.extend(schema["minimum"].as_i64().map(|minimum| json!(minimum - 1)));
        past.extend(schema["maximum"].as_i64().map(|maximum| json!(maximum + 1)));
    }
    if is(schema, "string") {
        past.extend([json!(1), json!("")]);
        past.extend(schema["maxLength"].as_u64().map(|length| text(length + 1)));
        if !schema["enum"].is_null() || !schema["format"].is_null() || !schema["pattern"].is_null() {
            past.push(json!("nonsense"));
        }
    }
    if is(schema, "array") {
        let most = schema["maxItems"].as_u64().unwrap();
        past.extend([json!([]), json!([1, 1]), json!(["1"]), (1..=most + 1).map(Value::from).collect()]);
    }
    past
}
