//! Makes the document, of the table and of the schemas of the types.

use std::borrow::Cow;

use schemars::generate::{Contract, SchemaSettings};
use schemars::{JsonSchema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::api::error::{ErrorReport, kinds};
use crate::api::model::{Listing, Request, Response, Row, Schema, Topic, When, Yes};
use crate::api::route::{Gives, HEALTH, Kind, ROUTES, Route};

type Object = Map<String, Value>;

/// Where components stand, as references name them.
const SCHEMAS: &str = "#/components/schemas/";

#[test]
fn the_document_is_that_of_the_table_and_the_types() {
    let made = format!("{:#}\n", document());
    let fresh = std::env::temp_dir().join("dak-openapi.json");
    if made.as_bytes() != super::document() {
        std::fs::write(&fresh, made).unwrap();
        panic!("copy {} to src/api/openapi.json", fresh.display());
    }
}

#[test]
fn every_route_has_an_operation_with_a_name_of_its_own_and_every_reference_leads_somewhere() {
    let document = document();
    let mut names: Vec<String> = ROUTES.iter().map(operation_id).collect();
    for (route, name) in ROUTES.iter().zip(&names) {
        let method = route.method.as_str().to_lowercase();
        assert_eq!(document["paths"][route.path][method]["operationId"], **name);
    }
    names.sort();
    let many = names.len();
    names.dedup();
    assert_eq!(names.len(), many, "{names:?}");
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"").skip(1) {
        let pointer = reference.split('"').next().unwrap().trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

fn document() -> Value {
    let mut asked = Schemas::of(Contract::Deserialize);
    let calls = asked.variants::<Request>();
    let lists = asked.variants::<Listing>();
    let follows = asked.variants::<Topic>();
    let mut given = Schemas::of(Contract::Serialize);
    let answers = given.variants::<Response>();
    let rows = given.variants::<Row>();
    let error = serde_json::to_value(given.generator.subschema_for::<ErrorReport>()).unwrap();

    let mut components = given.taken();
    let asked = asked.taken();
    // What is asked for may lack what an answer always has.
    let differs = |name: &String| components.get(name).is_some_and(|other| *other != asked[name]);
    let renamed: Vec<String> = asked.keys().filter(|name| differs(name)).cloned().collect();
    let rename = |value: &Value| {
        let mut text = value.to_string();
        for name in &renamed {
            text = text.replace(&format!("\"{SCHEMAS}{name}\""), &format!("\"{SCHEMAS}{name}Asked\""));
        }
        serde_json::from_str::<Value>(&text).unwrap()
    };
    for (name, schema) in &asked {
        let name = if renamed.contains(name) { format!("{name}Asked") } else { name.clone() };
        components.insert(name, rename(schema));
    }

    let mut paths = Object::new();
    for route in ROUTES {
        let asks = match route.ask {
            Kind::Call => rename(&calls[route.variant]),
            Kind::List => rename(&lists[route.variant]),
            Kind::Follow => rename(&follows[route.variant]),
            Kind::Document | Kind::Upload | Kind::Content => Value::Null,
        };
        let gives = match route.gives {
            Gives::One(variant) => answers[variant].clone(),
            Gives::Many(variant) => answers[variant]["items"].clone(),
            Gives::Rows => rows[route.variant].clone(),
            Gives::Bytes | Gives::Text | Gives::Document => Value::Null,
        };
        let gives = if route.path == HEALTH { with_or_without_token(&gives, &mut components) } else { gives };
        let operation = operation(route, &asks, &gives, &mut components);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_lowercase()] = operation;
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "dak",
            "version": "1",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
            "description": "What a person or a program can ask of a node of dak, a peer-to-peer delay-tolerant messenger. \
                Fields are added and never change their sense; every object says its `schema`. Where an answer is any number \
                of objects they are one a line; who accepts `application/json` first gets one array of them.",
        },
        "servers": [{ "url": "http://127.0.0.1:7070", "description": "where `api.listen` says; or the socket of the home" }],
        "security": [{ "token": [] }, {}],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {
                "Error": {
                    "description": format!("What failed, why, and what to do next. Its status is that of its kind: {}.", statuses()),
                    "content": { "application/json": { "schema": error } },
                },
            },
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "a program's own; the socket asks for none" },
            },
        },
    });
    said_plainly(&mut document);
    words_as_enums(&mut document);
    document
}

fn statuses() -> String {
    let said = |(kind, status): (_, u16)| format!("{} {status}", serde_json::to_value(kind).unwrap().as_str().unwrap());
    kinds().map(said).collect::<Vec<_>>().join(", ")
}

fn operation(route: &Route, asks: &Value, gives: &Value, components: &mut Object) -> Value {
    let id = operation_id(route);
    let fields = match asks.get("$ref").and_then(Value::as_str) {
        Some(reference) => components[reference.trim_start_matches(SCHEMAS)].clone(),
        None => asks.clone(),
    };
    let properties = fields["properties"].as_object().cloned().unwrap_or_default();
    let is_required = |name: &str| fields["required"].as_array().is_some_and(|names| names.contains(&json!(name)));
    let in_path: Vec<&str> = route.parameters().collect();
    let mut parameters: Vec<Value> = Vec::new();
    for name in &in_path {
        let description = properties.get(*name).and_then(|field| field.get("description")).cloned();
        let mut parameter = json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } });
        put(&mut parameter, "description", description);
        parameters.push(parameter);
    }
    let mut said = json!({
        "operationId": id,
        "summary": route.says,
        "tags": [route.path.split('/').find(|part| !matches!(*part, "" | "v1")).unwrap_or_default().trim_end_matches(".json")],
        "responses": { "200": answer(route, gives), "default": { "$ref": "#/components/responses/Error" } },
    });
    let others = || properties.iter().filter(|(name, _)| !in_path.contains(&name.as_str()));
    if route.takes_body() {
        if others().next().is_some() {
            let body = body(&id, asks, &fields, &in_path, components);
            let needed = others().any(|(name, _)| is_required(name));
            said["requestBody"] = json!({ "required": needed, "content": { "application/json": { "schema": body } } });
        }
    } else {
        for (name, schema) in others() {
            let mut schema = without_null(schema.clone());
            let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
            let mut parameter = json!({ "name": name, "in": "query", "required": is_required(name), "schema": schema });
            put(&mut parameter, "description", description);
            parameters.push(parameter);
        }
    }
    if route.has_numbers() {
        parameters.push(json!({
            "name": "Last-Event-ID", "in": "header", "required": false,
            "schema": { "type": "integer", "format": "uint64", "minimum": 0 },
            "description": "The number of the last event that was seen; counts before `since`.",
        }));
    }
    if route.ask == Kind::Upload {
        let name = "What the file is called.";
        parameters.push(json!({
            "name": "name", "in": "query", "required": true, "schema": { "type": "string" }, "description": name,
        }));
        let bytes = json!({ "schema": { "type": "string", "format": "binary" } });
        said["requestBody"] = json!({ "required": true, "content": { "application/octet-stream": bytes } });
    }
    if route.ask == Kind::Content {
        parameters.push(json!({
            "name": "Range", "in": "header", "required": false, "schema": { "type": "string" },
            "description": "Such as `bytes=0-1023`.",
        }));
        let stretch = answer(route, gives);
        said["responses"]["206"] = stretch;
    }
    if !parameters.is_empty() {
        said["parameters"] = parameters.into();
    }
    said
}

/// The body without what stands in the path, as a component, so that clients have a name for it.
fn body(id: &str, asks: &Value, fields: &Value, in_path: &[&str], components: &mut Object) -> Value {
    if asks.get("$ref").is_some() && in_path.is_empty() {
        return asks.clone();
    }
    let mut body = fields.clone();
    for name in in_path {
        body["properties"].as_object_mut().unwrap().remove(*name);
    }
    if let Some(required) = body.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| !in_path.iter().any(|other| name == other));
    }
    let name: String = id.split('_').map(capitalized).chain(["Body".to_owned()]).collect();
    components.insert(name.clone(), body);
    json!({ "$ref": format!("{SCHEMAS}{name}") })
}

/// Who shows no token gets no more than these fields.
fn with_or_without_token(gives: &Value, components: &mut Object) -> Value {
    const NAME: &str = "HealthForSupervisors";
    let reference = gives["$ref"].as_str().expect("it is a component");
    let mut fields = components[reference.trim_start_matches(SCHEMAS)].clone();
    fields["required"] = json!(["schema", "ok"]);
    components.insert(NAME.into(), fields);
    json!({ "$ref": format!("{SCHEMAS}{NAME}") })
}

fn answer(route: &Route, gives: &Value) -> Value {
    let lines = json!({ "schema": { "type": "string" }, "x-itemSchema": gives });
    let (description, content) = match (route.ask, route.gives) {
        (Kind::Follow, _) => (
            "Objects as they come: one a line, or the data of an event each.",
            json!({ "application/x-ndjson": lines, "text/event-stream": lines }),
        ),
        (_, Gives::Many(_) | Gives::Rows) => (
            "Objects: one a line, or an array.",
            json!({ "application/json": { "schema": { "type": "array", "items": gives } }, "application/x-ndjson": lines }),
        ),
        (_, Gives::Bytes) => {
            let bytes = json!({ "schema": { "type": "string", "format": "binary" } });
            ("Bytes.", json!({ "application/octet-stream": bytes }))
        }
        (_, Gives::Text) => ("Text.", json!({ "text/plain": { "schema": { "type": "string" } } })),
        (_, Gives::Document) => ("This document.", json!({ "application/json": { "schema": { "type": "object" } } })),
        (_, Gives::One(_)) => ("One object.", json!({ "application/json": { "schema": gives } })),
    };
    json!({ "description": description, "content": content })
}

fn operation_id(route: &Route) -> String {
    let mut id = String::from(match route.ask {
        Kind::Call => "",
        Kind::List => "list",
        Kind::Follow => "follow",
        Kind::Document => "open_api",
        Kind::Upload | Kind::Content => "",
    });
    for letter in route.variant.chars() {
        if letter.is_uppercase() && !id.is_empty() {
            id.push('_');
        }
        id.extend(letter.to_lowercase());
    }
    let is_alike = |other: &&Route| other.ask == route.ask && other.variant == route.variant;
    if ROUTES.iter().filter(is_alike).count() > 1 {
        // What stands beside `/v1` is for supervisors.
        id += if route.path.starts_with("/v1/") { "" } else { "_for_supervisors" };
        route.parameters().for_each(|name| id += &format!("_by_{name}"));
    }
    id
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

fn put(object: &mut Value, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        object[name] = value;
    }
}

/// What a query can say of a field that may be absent.
fn without_null(mut schema: Value) -> Value {
    let Some(object) = schema.as_object_mut() else { return schema };
    if object.get("default") == Some(&Value::Null) {
        object.remove("default");
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| choice["type"] != "null");
        if let [only] = &choices[..] {
            let only = only.clone();
            object.remove("anyOf");
            object.extend(only.as_object().cloned().unwrap_or_default());
        }
    }
    schema
}

/// Links of this program's own documentation lead nowhere in the document.
fn said_plainly(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(said_plainly),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "description" => {
                        *text = text.replace("[`", "`").replace("`]", "`").replace("super::", "").replace('\n', " ");
                    }
                    value => said_plainly(value),
                }
            }
        }
        _ => {}
    }
}

/// A choice of words is an `enum`: generators that meet a choice of constants take the first for all of them.
fn words_as_enums(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(words_as_enums),
        Value::Object(fields) => {
            fields.values_mut().for_each(words_as_enums);
            let words = |choice: &Value| match &choice["const"] {
                Value::Null => choice["enum"].as_array().cloned(),
                word => Some(vec![word.clone()]),
            };
            let choices = fields.get("oneOf").and_then(Value::as_array);
            let Some(all) = choices.and_then(|choices| choices.iter().map(words).collect::<Option<Vec<_>>>()) else {
                return;
            };
            fields.remove("oneOf");
            fields.insert("type".into(), "string".into());
            fields.insert("enum".into(), all.concat().into());
        }
        _ => {}
    }
}

/// The schemas of one direction.
struct Schemas {
    generator: SchemaGenerator,
}

impl Schemas {
    fn of(contract: Contract) -> Schemas {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = Cow::Borrowed("/components/schemas");
            settings.contract = contract;
        });
        Schemas { generator: settings.into_generator() }
    }

    /// The fields of every variant of an enum, by its name.
    fn variants<T: JsonSchema>(&mut self) -> Object {
        let schema = serde_json::to_value(T::json_schema(&mut self.generator)).unwrap();
        let mut variants = Object::new();
        for variant in schema["oneOf"].as_array().expect("an enum of several variants") {
            let words = variant["enum"].as_array().into_iter().flatten().chain(variant.get("const"));
            variants.extend(words.filter_map(Value::as_str).map(|word| (word.to_owned(), json!({}))));
            variants.extend(variant["properties"].as_object().cloned().unwrap_or_default());
        }
        variants
    }

    /// The components. What stands inside a variant of one gets a name too: some generators have none for it.
    fn taken(mut self) -> Object {
        let mut components = self.generator.take_definitions(true);
        let mut named = Object::new();
        for (component, schema) in &mut components {
            for variant in schema.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten() {
                let fields = variant.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten();
                for (field, inner) in fields.filter(|(_, inner)| inner.get("properties").is_some()) {
                    let name = format!("{component}{}", capitalized(field));
                    let reference = json!({ "$ref": format!("{SCHEMAS}{name}") });
                    named.insert(name, std::mem::replace(inner, reference));
                }
            }
        }
        components.extend(named);
        components
    }
}

impl JsonSchema for Schema {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Schema".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> schemars::Schema {
        json_schema!({ "type": "integer", "minimum": 1, "description": "The version of the contract." })
    }
}

impl JsonSchema for When {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "When".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> schemars::Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

impl JsonSchema for Yes {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Yes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> schemars::Schema {
        json_schema!({ "type": "boolean" })
    }
}
