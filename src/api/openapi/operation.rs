//! One operation, as it is written down.

use axum::http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Something that is sent, with its form and an example.
pub struct Content {
    /// Its media type.
    pub media_type: &'static str,
    /// Its schema, written into a generator.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// What it may look like.
    pub example: Value,
    /// Whether a value has exactly this form: nothing is missing, nothing is in it that is not written down.
    pub fits: fn(&Value) -> Result<(), String>,
}

/// What proves that a change comes from the staff page itself.
pub fn csrf() -> Parameter {
    Parameter {
        name: "x-csrf-token",
        place: Place::Header,
        text: "As the session was told it.",
        schema: serde_json::json!({ "type": "string" }),
        example: serde_json::json!("Jq0vN3c2"),
    }
}

/// JSON of this shape.
pub fn json<T: JsonSchema + Serialize + DeserializeOwned>(example: Value) -> Content {
    Content {
        media_type: "application/json",
        schema: |generator| generator.subschema_for::<T>(),
        example,
        fits: |value| {
            let read: T = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
            let written = serde_json::to_value(read).map_err(|error| error.to_string())?;
            if written == *value { Ok(()) } else { Err(format!("{value} is described as {written}")) }
        },
    }
}

/// Text of another kind.
pub fn text(media_type: &'static str, example: &str) -> Content {
    Content {
        media_type,
        schema: |generator| generator.subschema_for::<String>(),
        example: Value::String(example.to_owned()),
        fits: |_| Ok(()),
    }
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// A header of the request.
    Header,
}

impl Place {
    /// As in OpenAPI.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
        }
    }
}

/// A parameter.
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Where it stands; those of the path are needed, others are not.
    pub place: Place,
    /// What it is.
    pub text: &'static str,
    /// Its schema.
    pub schema: Value,
    /// What it may look like.
    pub example: Value,
}

/// An answer that is no problem.
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// When it comes.
    pub text: &'static str,
    /// Its body, in one of these forms; none without a body.
    pub body: Vec<Content>,
}

/// One thing that can be asked.
pub struct Operation {
    /// How.
    pub method: Method,
    /// Where, as in the table of routes.
    pub path: &'static str,
    /// What programs call it.
    pub id: &'static str,
    /// Under which heading it stands.
    pub tag: &'static str,
    /// In a line.
    pub summary: &'static str,
    /// In Markdown.
    pub text: &'static str,
    /// What goes with it.
    pub parameters: Vec<Parameter>,
    /// The body, in one of these forms.
    pub request: Vec<Content>,
    /// What comes back when all is well.
    pub answers: Vec<Answer>,
    /// Codes of problems besides those that any route may answer.
    pub problems: &'static [&'static str],
    /// What can be asked next with what came back: name of the operation, and its link object (OpenAPI 3.1, 4.8.20).
    pub links: Vec<(&'static str, Value)>,
}

impl Operation {
    /// Without parameters, body, answers and problems.
    pub fn new(
        (method, path): (Method, &'static str),
        id: &'static str,
        tag: &'static str,
        summary: &'static str,
        text: &'static str,
    ) -> Self {
        let (parameters, request, answers) = (Vec::new(), Vec::new(), Vec::new());
        Self { method, path, id, tag, summary, text, parameters, request, answers, problems: &[], links: Vec::new() }
    }

    /// With one more parameter.
    pub fn with(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// With a body.
    pub fn takes(self, request: Vec<Content>) -> Self {
        Self { request, ..self }
    }

    /// With an answer.
    pub fn answers(mut self, status: u16, text: &'static str, body: Option<Content>) -> Self {
        self.answers.push(Answer { status, text, body: body.into_iter().collect() });
        self
    }

    /// With something that can be asked next.
    pub fn leads_to(mut self, operation: &'static str, link: Value) -> Self {
        self.links.push((operation, link));
        self
    }

    /// With problems.
    pub fn fails(self, problems: &'static [&'static str]) -> Self {
        Self { problems, ..self }
    }
}

/// An identifier in the path.
pub fn id_in_path(text: &'static str, example: &'static str) -> Parameter {
    let schema = serde_json::json!({ "$ref": "#/components/schemas/Id" });
    Parameter { name: "id", place: Place::Path, text, schema, example: example.into() }
}
