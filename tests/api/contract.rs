//! The API's description against the API.

use crate::station::{send, station};
use augenmass::access::Mode;
use augenmass::api::access_table;
use augenmass::api::openapi::operation::{Operation, Place};
use augenmass::api::openapi::{PROBLEMS, document, examples, operations};
use augenmass_core::basket::Basket;
use augenmass_core::goods::Row;
use augenmass_core::verdict::Verdict;
use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| operations("B1"));
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| document("B1", "basket-1", Mode::Required));

fn is_at(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len() && template.iter().zip(&path).all(|(t, p)| t == p || t.starts_with('{'))
}

/// Every answer that any test gets must be one that is written down. Pages and streams are looked at elsewhere.
pub fn assert_as_described(method: &Method, path: &str, status: u16, kind: &str, body: &Value) {
    let kind = kind.split(';').next().unwrap();
    let Some(operation) = OPERATIONS.iter().find(|o| o.method == *method && is_at(o.path, path)) else {
        let code = body["code"].as_str().unwrap_or_default();
        assert!(
            ["not_found", "method_not_allowed", "foreign_host"].contains(&code),
            "{method} {path} is not described"
        );
        return;
    };
    let responses = &DOCUMENT["paths"][operation.path][method.as_str().to_lowercase()]["responses"];
    let described = &responses[status.to_string()];
    assert!(described.is_object(), "{method} {path}: {status} is not described: {body}");
    if kind == "application/problem+json" {
        let code = body["code"].as_str().unwrap();
        let content = &described["content"][kind];
        assert!(content["examples"][code].is_object(), "{method} {path}: {status} {code} is not described");
        let members: BTreeSet<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
        assert!(["type", "title", "status", "code", "detail"].iter().all(|member| members.contains(member)));
    } else if kind == "application/json" {
        let answer = operation.answers.iter().find(|answer| answer.status == status).unwrap();
        let content = answer.body.iter().find(|content| content.media_type == kind).unwrap();
        (content.fits)(body).unwrap_or_else(|why| panic!("{method} {path}: {why}"));
    }
}

#[test]
fn what_is_described_is_what_there_is() {
    let routes: BTreeSet<(String, &str)> =
        access_table().into_iter().map(|(m, path, _)| (m.to_string(), path)).collect();
    let described: BTreeSet<(String, &str)> = OPERATIONS.iter().map(|o| (o.method.to_string(), o.path)).collect();
    assert_eq!(routes, described);
    assert_eq!(described.len(), OPERATIONS.len(), "one stands twice");
    let in_document: BTreeSet<(String, &str)> = DOCUMENT["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.as_str()))
        })
        .collect();
    assert_eq!(in_document, routes);
    let names: BTreeSet<&str> = OPERATIONS.iter().map(|o| o.id).collect();
    assert_eq!(names.len(), OPERATIONS.len(), "programs are made from these names");
}

#[test]
fn who_gets_in_is_told_as_it_is() {
    for (method, path, who) in access_table() {
        let told = &DOCUMENT["paths"][path][method.as_str().to_lowercase()];
        let names: Vec<&str> = told["x-who"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        assert_eq!(names, who.iter().map(|who| who.as_str()).collect::<Vec<_>>());
        let schemes = &DOCUMENT["components"]["securitySchemes"];
        for needed in told["security"].as_array().unwrap() {
            for name in needed.as_object().unwrap().keys() {
                let of_staff = ["tablet", "staff"].contains(&name.as_str())
                    && names.iter().any(|who| ["attendant", "supervisor", "technician"].contains(who));
                let of_device =
                    name == "certificate" && names.iter().any(|who| ["handheld", "gate", "back-office"].contains(who));
                assert!(
                    schemes[name].is_object() && (of_staff || of_device || names.contains(&name.as_str())),
                    "{path}: {name}"
                );
            }
        }
        assert_eq!(told["security"].as_array().unwrap().is_empty(), names == ["anyone"], "{path}");
    }
}

#[test]
fn parameters_of_paths_are_those_of_the_template() {
    for operation in OPERATIONS.iter() {
        let in_template: BTreeSet<&str> =
            operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let told: BTreeSet<&str> =
            operation.parameters.iter().filter(|p| p.place == Place::Path).map(|p| p.name).collect();
        assert_eq!(told, in_template, "{}", operation.path);
    }
}

#[test]
fn every_example_is_what_it_is_an_example_of() {
    let mut seen = 0;
    for operation in OPERATIONS.iter() {
        let told = operation.answers.iter().flat_map(|answer| &answer.body);
        for content in operation.request.iter().chain(told) {
            if let Err(why) = (content.fits)(&content.example) {
                panic!("{} {}: {why}", operation.method, operation.path);
            }
            seen += 1;
        }
    }
    assert!(seen > 20);
    // And the station's own types agree.
    fn is_one<T: serde::Serialize + serde::de::DeserializeOwned>(example: Value) {
        assert_eq!(serde_json::to_value(serde_json::from_value::<T>(example.clone()).unwrap()).unwrap(), example);
    }
    is_one::<Basket>(examples::basket());
    is_one::<Verdict>(examples::correct());
    is_one::<Verdict>(examples::pass());
    is_one::<Row>(examples::product());
    serde_json::from_str::<Row>(&examples::catalogue()).unwrap();
}

#[test]
fn every_code_of_a_problem_is_listed_with_its_status() {
    let mut statuses: BTreeMap<&str, u16> = BTreeMap::new();
    for (code, status, _) in PROBLEMS {
        assert!(statuses.insert(code, *status).is_none(), "{code} stands twice");
    }
    let named = |word: &str| axum::http::StatusCode::from_u16(statuses[word]).unwrap();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api");
    let mut found = BTreeSet::new();
    let staff = std::fs::read_dir(folder.join("staff")).unwrap();
    for entry in std::fs::read_dir(folder).unwrap().chain(staff).chain(std::fs::read_dir("src/app").unwrap()) {
        let path = entry.unwrap().path();
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        // `StatusCode::NAME, "code"`, however it is broken into lines.
        let flat: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in flat.split("StatusCode::").skip(1) {
            let Some((name, rest)) = part.split_once(", \"") else { continue };
            if !name.chars().all(|c| c.is_ascii_uppercase() || c == '_') {
                continue;
            }
            let code = rest.split('"').next().unwrap();
            assert!(statuses.contains_key(code), "{}: {code} is not listed", path.display());
            let told = named(code).canonical_reason().unwrap().to_uppercase().replace([' ', '-'], "_");
            assert_eq!(told, name, "{code}");
            found.insert(code.to_owned());
        }
    }
    let listed: BTreeSet<String> = statuses.keys().map(|code| (*code).to_owned()).collect();
    assert_eq!(found, listed, "listed and never used, or used and never found here");
}

#[test]
fn every_link_leads_to_an_operation() {
    let mut seen = 0;
    for operation in OPERATIONS.iter() {
        for (id, link) in &operation.links {
            assert_eq!(link["operationId"], *id);
            let target = OPERATIONS.iter().find(|o| o.id == *id).unwrap();
            for name in link["parameters"].as_object().into_iter().flatten().map(|(name, _)| name) {
                assert!(target.parameters.iter().any(|p| p.name == name), "{id} has no {name}");
            }
            seen += 1;
        }
    }
    assert!(seen >= 8);
}

#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    found.insert(reference.clone());
                }
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut found = BTreeSet::new();
    references(&DOCUMENT, &mut found);
    assert!(found.len() > 10);
    for reference in found {
        assert!(DOCUMENT.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let router = station(folder.path());
    let fetch = async |path: &str| {
        use tower::ServiceExt;
        let request = Request::get(path).header(header::HOST, "localhost").body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
        String::from_utf8(axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap()
    };
    let page = fetch("/docs").await;
    assert!(page.contains("src=\"/docs.js\"") && page.contains("href=\"/docs.css\""));
    for text in [page, fetch("/docs.js").await, fetch("/docs.css").await] {
        assert!(!text.contains("//cdn") && !text.contains("http://") && !text.contains("https://"));
        assert!(!text.contains("innerHTML"), "the document could become markup");
    }
    let request = Request::get("/openapi.json").header(header::HOST, "localhost").body(Body::empty()).unwrap();
    let (_, told, _) = send(&router, request).await;
    assert_eq!((&told["openapi"], &told), (&Value::from("3.1.0"), &document("B1", "basket-1", Mode::Open)));
    // This one asks nobody for a credential: its description does not say that it does.
    assert!(told["paths"]["/v1/station"]["get"]["security"].is_null());
}
