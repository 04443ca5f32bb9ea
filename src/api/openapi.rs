//! The routes as OpenAPI 3.1, for programs of others and for generators of clients.
//!
//! `openapi.json` is made of the one table of routes and of the types that requests and answers are read into, by a test
//! that fails where the committed file says something else; it is served as it is committed.

use crate::packed::unpack;

/// What `GET /v1/openapi.json` answers.
pub fn document() -> Vec<u8> {
    unpack(include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json.gz")))
}

#[cfg(test)]
mod made;
