//! From tables to the document.

use super::operation::{Answer, Content, Operation, Place};
use super::problems::{PROBLEMS, problems_of};
use super::{CONTRACT_VERSION, examples, shapes};
use crate::access::Mode;
use crate::access::who::Who;
use crate::api::deprecated::{self, Deprecated};
use axum::http::{Method, StatusCode};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Who gets in where, as the router has it.
type AccessTable = [(Method, &'static str, &'static [Who])];

/// Headings with what stands under them.
const TAGS: [(&str, &str); 7] = [
    ("Baskets", "The shopper's list, from the app or a handheld."),
    ("Validations", "A basket on the plate: open, wait for the verdict, put it right."),
    ("Staff", "The staff desk: log in on a known tablet, look after baskets, decide."),
    ("Gate", "Exit tokens: verified offline, or used up."),
    ("Back office", "Products in, verdicts out."),
    ("Display", "What the shopper sees at the station."),
    ("Operations", "Health, metrics, this description."),
];

/// The whole document.
pub(super) fn write(
    operations: &[Operation],
    access: &AccessTable,
    going: &[Deprecated],
    (id, mode): (&str, Mode),
) -> Value {
    let mut schemas = Schemas::new();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for (place, operation) in operations.iter().enumerate() {
        let who = access
            .iter()
            .find(|(method, path, _)| *method == operation.method && *path == operation.path)
            .map_or(&[][..], |(_, _, who)| who);
        let method = operation.method.as_str().to_lowercase();
        let mut written = write_one(operation, who, &mut schemas);
        written["x-order"] = place.into();
        if let Some(row) = deprecated::of(going, &operation.method, operation.path) {
            written["deprecated"] = true.into();
            say_so(&mut written["responses"], row);
        }
        if mode == Mode::Required {
            written["security"] = security(who).into();
        }
        paths.entry(operation.path).or_default().insert(method, written);
    }
    schemas.sent.subschema_for::<shapes::Id>();
    schemas.told.subschema_for::<shapes::Problem>();
    let tags: Vec<Value> = TAGS.iter().map(|(name, text)| json!({ "name": name, "description": text })).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Augenmass",
            "version": CONTRACT_VERSION,
            "summary": "The local API of a scan-and-go validation station",
            "description": introduction(),
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
        },
        "servers": [{ "url": "/", "description": "This station" }],
        "tags": tags,
        "paths": paths,
        "components": { "schemas": schemas.finish(), "securitySchemes": security_schemes(id) },
    })
}

/// Every answer has the headers by which the end is announced.
fn say_so(responses: &mut Value, row: &Deprecated) {
    let header =
        |text: &str, example: Value| json!({ "description": text, "schema": { "type": "string" }, "example": example });
    for response in responses.as_object_mut().into_iter().flat_map(|responses| responses.values_mut()) {
        response["headers"] = json!({
            "Deprecation": header("Since when it should not be used (RFC 9745)", format!("@{}", row.since_s).into()),
            "Sunset": header("When it may be gone (RFC 8594)", row.sunset().into()),
            "Link": header("Where to read what to do instead", format!("<{}>; rel=\"deprecation\"", row.see).into()),
        });
    }
}

fn introduction() -> String {
    let mut text = "JSON over HTTP. Answers may gain members: ignore what you do not know. What is not done comes as a problem (RFC 9457, \
        `application/problem+json`) whose `code` is stable; go by it, not by `detail`.\n\n\
        | code | status | meaning |\n|---|---|---|\n"
        .to_owned();
    for (code, status, meaning) in PROBLEMS {
        text.push_str(&format!("| `{code}` | {status} | {meaning} |\n"));
    }
    text
}

/// Two generators: what is sent here may leave out what has a default, what is told from here has it always.
struct Schemas {
    sent: SchemaGenerator,
    told: SchemaGenerator,
}

impl Schemas {
    fn new() -> Self {
        let settings = |settings: SchemaSettings| {
            settings.with(|s| {
                s.definitions_path = "/components/schemas".into();
                s.meta_schema = None;
            })
        };
        let draft = SchemaSettings::draft2020_12;
        Self {
            sent: settings(draft().for_deserialize()).into_generator(),
            told: settings(draft().for_serialize()).into_generator(),
        }
    }

    fn finish(mut self) -> Map<String, Value> {
        let mut all = self.told.take_definitions(true);
        // The list is told as it was sent.
        all.extend(self.sent.take_definitions(true));
        all
    }
}

fn write_one(operation: &Operation, who: &[Who], schemas: &mut Schemas) -> Value {
    let mut written = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.text,
        "x-who": who.iter().map(|who| who.as_str()).collect::<Vec<_>>(),
    });
    if !operation.parameters.is_empty() {
        let parameters = operation.parameters.iter().map(|parameter| {
            json!({ "name": parameter.name, "in": parameter.place.as_str(), "required": parameter.place == Place::Path,
                "description": parameter.text, "schema": parameter.schema, "example": parameter.example })
        });
        written["parameters"] = parameters.collect();
    }
    if !operation.request.is_empty() {
        let content = contents(&operation.request, &mut schemas.sent);
        written["requestBody"] = json!({ "required": true, "content": content });
    }
    let mut responses: BTreeMap<String, Value> = BTreeMap::new();
    for answer in &operation.answers {
        let mut told = write_answer(answer, schemas);
        if !operation.links.is_empty() {
            told["links"] = operation.links.iter().map(|(id, link)| ((*id).to_owned(), link.clone())).collect();
        }
        responses.insert(answer.status.to_string(), told);
    }
    for (status, codes) in problems_of(operation, who) {
        let named: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
        let examples: Map<String, Value> =
            codes.iter().map(|code| ((*code).to_owned(), json!({ "value": examples::problem(code) }))).collect();
        let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default();
        let schema = json!({ "$ref": "#/components/schemas/Problem" });
        let content = json!({ "application/problem+json": { "schema": schema, "examples": examples } });
        let entry =
            responses.entry(status.to_string()).or_insert_with(|| json!({ "description": reason, "content": {} }));
        entry["description"] = format!("{}: {}", text_of(entry), named.join(", ")).into();
        if let (Some(held), Value::Object(content)) = (entry["content"].as_object_mut(), content) {
            held.extend(content);
        }
    }
    written["responses"] = json!(responses);
    written
}

fn text_of(entry: &Value) -> &str {
    entry["description"].as_str().unwrap_or_default()
}

fn write_answer(answer: &Answer, schemas: &mut Schemas) -> Value {
    let mut written = json!({ "description": answer.text });
    if !answer.body.is_empty() {
        written["content"] = contents(&answer.body, &mut schemas.told);
    }
    written
}

fn contents(contents: &[Content], generator: &mut SchemaGenerator) -> Value {
    let one = |content: &Content| {
        let schema = (content.schema)(generator);
        (content.media_type.to_owned(), json!({ "schema": schema, "example": content.example }))
    };
    Value::Object(contents.iter().map(one).collect())
}

/// Cookies carry the station's identifier in their names: they are shared by all ports of a machine.
fn security_schemes(id: &str) -> Value {
    json!({
        "app": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description":
            "A JWS (EdDSA or ES256) of the retailer's own servers for one shopper: `aud` the station's identifier, `basket_id` the one basket \
             it may touch, `iat`, `exp` at most an hour later, `kid` one of the keys in `[api].app_keys`." },
        "handheld": { "type": "http", "scheme": "bearer", "description":
            "The token that `POST /v1/handhelds` gives for the code on the station's display, or `augenmass access add handheld`." },
        "gate": { "type": "http", "scheme": "bearer", "description": "A token of `augenmass access add gate`." },
        "certificate": { "type": "mutualTLS", "description":
            "A client certificate of an authority in `[api].client_ca`, with a name that was registered: `POST /v1/handhelds` with \
             `certificate: true`, or `augenmass access add WHO --certificate dns:NAME`. It opens what its holder's token would." },
        "tablet": { "type": "apiKey", "in": "cookie", "name": format!("augenmass-tablet.{id}"), "description":
            "Set by `POST /v1/staff/tablet` for the code on the station's display." },
        "staff": { "type": "apiKey", "in": "cookie", "name": format!("augenmass-session.{id}"), "description":
            "Set by `POST /v1/staff/session`; whatever changes something also needs `x-csrf-token` as the session was told it." },
        "back-office": { "type": "http", "scheme": "bearer", "description": "A token of `augenmass access add back-office`." },
    })
}

/// One of these is enough. Who has no credential (the display, everybody) is the empty one.
fn security(who: &[Who]) -> Vec<Value> {
    if who.contains(&Who::Anyone) {
        return Vec::new();
    }
    let by_certificate = who.iter().any(|who| matches!(who, Who::Handheld | Who::Gate | Who::BackOffice));
    who.iter()
        .map(|who| match who {
            Who::Anyone | Who::Display => json!({}),
            Who::App | Who::Handheld | Who::Gate | Who::BackOffice | Who::Tablet => json!({ who.as_str(): [] }),
            Who::Attendant | Who::Supervisor | Who::Technician => json!({ Who::Tablet.as_str(): [], "staff": [] }),
        })
        .chain(by_certificate.then(|| json!({ "certificate": [] })))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::access_table;
    use crate::api::openapi::operations;

    #[test]
    fn a_route_that_shall_go_is_described_as_one() {
        let row = Deprecated {
            method: Method::GET,
            path: "/live",
            since_s: 1_688_169_599,
            sunset_s: 1_751_327_999,
            see: "/docs",
        };
        let told = write(&operations("B1"), &access_table(), &[row], ("basket-1", Mode::Required));
        let live = &told["paths"]["/live"]["get"];
        assert_eq!(live["deprecated"], true);
        let responses = live["responses"].as_object().unwrap();
        assert!(responses.values().all(|response| response["headers"]["Deprecation"]["example"] == "@1688169599"));
        assert!(told["paths"]["/ready"]["get"]["deprecated"].is_null());
        let now = write(&operations("B1"), &access_table(), &[], ("basket-1", Mode::Required));
        assert!(now["paths"]["/live"]["get"]["deprecated"].is_null());
    }
}
