//! The documents of the routes, which are files in the repository as well.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Map;

use super::*;

/// Set, it has the files written anew.
const WRITE: &str = "REPRISE_TEST_WRITE_OPENAPI";

/// That `told` is what the file holds.
fn is_in_file(name: &str, told: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi").join(name);
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&file, told).unwrap();
    }
    let held = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        held == told,
        "docs/openapi/{name} is not what the server answers. To write it anew: `{WRITE}=1 cargo test --workspace --lib openapi`"
    );
}

async fn text(response: Response) -> String {
    assert_eq!(
        (response.status(), &response.headers()["content-type"]),
        (StatusCode::OK, &"application/json".parse().unwrap())
    );
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn each_listener_tells_its_own_routes_as_the_files_of_the_repository_do() {
    let server = Server::start(1).await;
    let asked = request(Method::GET, "/openapi.json", "", &[], Body::empty());
    let public = text(server.router.clone().oneshot(asked).await.unwrap()).await;
    is_in_file("public.json", &public);
    let operations = text(server.operators(Method::GET, "/openapi.json", &[], Body::empty()).await).await;
    is_in_file("operations.json", &operations);
    assert!(public.contains("\"/api/tokens\"") && !public.contains("/api/operations"));
    assert!(operations.contains("\"/api/operations/room\"") && !operations.contains("\"/api/tokens\""));
}

/// The names of members that a document describes, wherever they stand.
fn described(document: &Value, names: &mut BTreeSet<String>) {
    match document {
        Value::Object(parts) => {
            names.extend(parts.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys).cloned());
            parts.values().for_each(|part| described(part, names));
        }
        Value::Array(parts) => parts.iter().for_each(|part| described(part, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_member_that_the_documents_describe_stands_on_the_page_that_people_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/api.md")).unwrap();
    let words: BTreeSet<&str> = page.split(|letter: char| !letter.is_alphanumeric()).collect();
    for name in ["public.json", "operations.json"] {
        let text = std::fs::read_to_string(root.join("docs/openapi").join(name)).unwrap();
        let mut names = BTreeSet::new();
        described(&serde_json::from_str(&text).unwrap(), &mut names);
        assert!(names.contains("seatId"));
        names.retain(|name| !words.contains(name.as_str()));
        assert!(names.is_empty(), "docs/api.md does not say what these members of {name} are: {names:?}");
    }
}

#[tokio::test]
async fn every_problem_has_a_page_and_the_routes_one_on_both_listeners() {
    let server = Server::start(1).await;
    let page = async |path: &str| {
        let asked = request(Method::GET, path, "", &[], Body::empty());
        let public = server.router.clone().oneshot(asked).await.unwrap();
        let operations = server.operators(Method::GET, path, &[], Body::empty()).await;
        for response in [&public, &operations] {
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            let policy = response.headers()["content-security-policy"].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        }
        String::from_utf8(public.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    };
    for kind in crate::api::shared::kinds::ALL {
        let text = page(&format!("/problems/{}", kind.code)).await;
        assert!(text.contains(kind.code) && text.contains("What it means") && text.contains("What to do"), "{text}");
    }
    assert!(page("/docs").await.contains("/docs/swagger-ui-bundle.js"));
    for path in ["/problems/nonsense", "/docs/index.html", "/docs/swagger-initializer.js"] {
        assert_eq!(server.get(path, "").await.problem(), "route-not-found", "{path}");
    }
}
