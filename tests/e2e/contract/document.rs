//! One document, looked up: operations by method and path, and what is wrong with an answer or a request by them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use jsonschema::Validator;
use reqwest::{Method, Request};
use serde_json::{Map, Value, json};

use super::Exchange;

/// A document of the repository.
pub struct Document {
    pub name: &'static str,
    pub json: Value,
    /// Shapes, closed: what an answer has and its shape does not is told.
    closed: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// What a method of a path does.
pub struct Operation<'a> {
    document: &'a Document,
    pub method: String,
    pub path: String,
    pub json: &'a Value,
}

impl Document {
    pub fn read(name: &'static str) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/openapi/{name}.json"));
        let json: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let mut closed = json["components"].clone();
        for (name, shape) in closed["schemas"].as_object_mut().unwrap() {
            // All problems rest on this one, and have more.
            if name != "Problem" {
                close(shape);
            }
        }
        Self { name, json, closed, validators: Mutex::default() }
    }

    /// Every operation.
    pub fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        let paths = self.json["paths"].as_object().unwrap().iter();
        paths.flat_map(move |(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, json)| {
                let (method, path) = (method.to_ascii_uppercase(), path.clone());
                Operation { document: self, method, path, json }
            })
        })
    }

    /// The one that answers. `HEAD` is `GET` without a body.
    pub fn operation(&self, method: &Method, path: &str) -> Option<Operation<'_>> {
        let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
        let fitting = self.operations().filter(|operation| operation.method == method && fits(&operation.path, path));
        fitting.min_by_key(|operation| operation.path.matches('{').count())
    }

    /// What a reference stands for; else the thing itself.
    pub fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self.json.pointer(reference.trim_start_matches('#')).unwrap(),
            None => value,
        }
    }

    /// What is wrong with a value by this schema.
    fn wrong(&self, schema: &Value, value: &Value) -> Option<String> {
        let key = schema.to_string();
        let known = self.validators.lock().unwrap().get(&key).cloned();
        let validator = known.unwrap_or_else(|| {
            let mut closed = schema.clone();
            close(&mut closed);
            let whole = json!({ "allOf": [closed], "components": self.closed });
            let made = jsonschema::options().should_validate_formats(true).build(&whole);
            Arc::new(made.unwrap_or_else(|error| panic!("{schema} is no schema: {error}")))
        });
        self.validators.lock().unwrap().insert(key, Arc::clone(&validator));
        let wrong: Vec<String> =
            validator.iter_errors(value).map(|error| format!("{error} at {}", error.instance_path())).collect();
        (!wrong.is_empty()).then(|| wrong.join(", "))
    }
}

/// Whether a path is one of this pattern. What `{file}` stands for may have slashes.
fn fits(pattern: &str, path: &str) -> bool {
    if let Some(folder) = pattern.strip_suffix("{file}") {
        return path.strip_prefix(folder).is_some_and(|file| !file.is_empty());
    }
    let (pattern, path): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    let is_same = |(part, given): (&&str, &&str)| part == given || part.starts_with('{') && !given.is_empty();
    pattern.len() == path.len() && pattern.iter().zip(&path).all(is_same)
}

/// Has a shape take no member that it does not name.
fn close(shape: &mut Value) {
    match shape {
        Value::Object(shape) if shape.contains_key("allOf") => {
            shape.insert("unevaluatedProperties".to_owned(), false.into());
        }
        Value::Object(shape) => {
            if shape.contains_key("properties") {
                shape.insert("additionalProperties".to_owned(), false.into());
            }
            shape.values_mut().for_each(close);
        }
        Value::Array(shapes) => shapes.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

impl Operation<'_> {
    /// Which listener it is of.
    pub fn listener(&self) -> &'static str {
        self.document.name
    }

    /// The codes of the problems that it may answer.
    pub fn problems(&self) -> Vec<String> {
        let answers = self.json["responses"].as_object().unwrap().values();
        let shapes = answers.map(|answer| {
            let answer = self.document.resolve(answer);
            &answer["content"]["application/problem+json"]["schema"]
        });
        let kinds = shapes.flat_map(|shape| shape["oneOf"].as_array().cloned().unwrap_or_else(|| vec![shape.clone()]));
        let names = kinds.map(|kind| kind["$ref"].as_str()?.rsplit('/').next().map(str::to_owned));
        // A success is no problem.
        names.flatten().collect()
    }

    /// What may stand after its path's question mark.
    pub fn query_parameters(&self) -> impl Iterator<Item = &Value> {
        let parameters = self.json["parameters"].as_array().into_iter().flatten();
        parameters.filter(|parameter| parameter["in"] == "query")
    }

    /// What it takes as JSON; null where it takes none.
    pub fn body_schema(&self) -> &Value {
        self.document.resolve(&self.json["requestBody"]["content"]["application/json"]["schema"])
    }

    /// That the answer is declared: its status, headers, kind and shape.
    pub fn holds_answer(&self, exchange: &Exchange) -> Result<(), String> {
        let declared = &self.json["responses"][exchange.status.as_str()];
        if declared.is_null() {
            return Err(format!("{} declares no such status: {}", self.path, String::from_utf8_lossy(exchange.body)));
        }
        let declared = self.document.resolve(declared);
        self.hold_headers(declared, exchange)?;
        let is_coded = exchange.headers.contains_key("content-encoding");
        let (Some(contents), false) = (declared["content"].as_object(), exchange.request.method() == Method::HEAD)
        else {
            return Ok(());
        };
        let media_type = exchange.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        let content = contents.get(essence).or_else(|| contents.get("*/*"));
        let content = content.ok_or_else(|| format!("the media type {essence} is not declared"))?;
        let is_json = essence == "application/json" || essence.ends_with("+json");
        if !is_json || is_coded {
            return Ok(());
        }
        let body: Value = serde_json::from_slice(exchange.body).map_err(|error| format!("no JSON: {error}"))?;
        // One of many problems is looked at by its code: what is wrong is told better.
        let schema = match content["schema"]["oneOf"].as_array() {
            None => content["schema"].clone(),
            Some(kinds) => {
                let reference = format!("#/components/schemas/{}", body["code"].as_str().unwrap_or_default());
                let kind = kinds.iter().find(|kind| kind["$ref"] == reference);
                kind.ok_or_else(|| format!("the problem is not declared: {body}"))?.clone()
            }
        };
        self.document.wrong(&schema, &body).map_or(Ok(()), |wrong| Err(format!("{wrong}: {body}")))
    }

    fn hold_headers(&self, declared: &Value, exchange: &Exchange) -> Result<(), String> {
        for (name, header) in declared["headers"].as_object().unwrap_or(&Map::new()) {
            let header = self.document.resolve(header);
            let given = exchange.headers.get(name).map(|value| value.to_str().unwrap_or_default());
            match given {
                None if header["required"] == true => return Err(format!("the header {name} is missing")),
                None => {}
                Some(given) => {
                    let wrong = self.document.wrong(&header["schema"], &read_as(&header["schema"], given));
                    wrong.map_or(Ok(()), |wrong| Err(format!("{name}: {wrong}")))?;
                }
            }
        }
        Ok(())
    }

    /// That a request that succeeded is one that the document allows.
    pub fn holds_request(&self, request: &Request) -> Result<(), String> {
        let query: HashMap<String, String> = request.url().query_pairs().into_owned().collect();
        for parameter in self.json["parameters"].as_array().unwrap_or(&Vec::new()) {
            let name = parameter["name"].as_str().unwrap();
            let given = match parameter["in"].as_str().unwrap() {
                "query" => query.get(name).map(String::as_str),
                "header" => request.headers().get(name).and_then(|value| value.to_str().ok()),
                _ => continue,
            };
            let Some(given) = given else {
                if parameter["required"] == true {
                    return Err(format!("it was answered without the parameter {name}"));
                }
                continue;
            };
            let wrong = self.document.wrong(&parameter["schema"], &read_as(&parameter["schema"], given));
            wrong.map_or(Ok(()), |wrong| Err(format!("it was answered with {name}={given}: {wrong}")))?;
        }
        let schema = &self.json["requestBody"]["content"]["application/json"]["schema"];
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        if schema.is_null() || body.is_empty() && self.json["requestBody"]["required"] == false {
            return Ok(());
        }
        let body: Value =
            serde_json::from_slice(body).map_err(|error| format!("it was answered, and no JSON: {error}"))?;
        let wrong = self.document.wrong(schema, &body);
        // What is null is as if it were left out.
        let left_out = |body: &Value| {
            let members = body.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
            Value::Object(members.map(|(name, value)| (name.clone(), value.clone())).collect())
        };
        let wrong = wrong.filter(|_| self.document.wrong(schema, &left_out(&body)).is_some());
        wrong.map_or(Ok(()), |wrong| Err(format!("it was answered with {body}: {wrong}")))
    }
}

/// A text as what the schema says that it is.
fn read_as(schema: &Value, text: &str) -> Value {
    match schema["type"].as_str() {
        Some("integer" | "number") => serde_json::from_str(text).unwrap_or(Value::Null),
        _ => text.into(),
    }
}
