//! The routes as OpenAPI 3.1, for programs of others and for generators of clients.
//!
//! `openapi.json` is made of the one table of routes and of the types that requests and answers are read into, by a test
//! that fails where the committed file says something else; it is served as it is committed.

/// What `GET /v1/openapi.json` answers.
pub const DOCUMENT: &str = include_str!("openapi.json");

#[cfg(test)]
mod made;
