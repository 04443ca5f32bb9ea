//! Responses as HTTP.

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response as HttpResponse};

use crate::api::error::ApiError;
use crate::api::model::{METRICS_TYPE, Response, json_line};

pub const JSON: &str = "application/json";
pub const JSON_LINES: &str = "application/x-ndjson";
pub const BYTES: &str = "application/octet-stream";

impl IntoResponse for Response {
    fn into_response(self) -> HttpResponse {
        let kind = match &self {
            Response::Bytes(_) => BYTES,
            Response::Metrics(_) => METRICS_TYPE,
            response if response.is_many() => JSON_LINES,
            _ => JSON,
        };
        let body = match self {
            Response::Bytes(bytes) => bytes,
            response => response.json_lines().into_bytes(),
        };
        ([(header::CONTENT_TYPE, kind)], Body::from(body)).into_response()
    }
}

/// Any number of objects as one array.
pub fn array(response: &Response) -> HttpResponse {
    let lines = response.json_lines();
    let objects = lines.trim_end().replace('\n', ",\n");
    ([(header::CONTENT_TYPE, JSON)], format!("[{objects}]\n")).into_response()
}

impl IntoResponse for ApiError {
    fn into_response(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.kind.http_status()).expect("statuses are a table of valid ones");
        with_status(status, self)
    }
}

/// An error whose HTTP status says more than its kind.
pub fn with_status(status: StatusCode, error: ApiError) -> HttpResponse {
    (status, [(header::CONTENT_TYPE, JSON)], line(error)).into_response()
}

/// An error as one line of JSON.
pub fn line(error: ApiError) -> String {
    json_line(&error.report())
}

/// A whole HTTP answer for a client that gets no conversation.
pub fn raw(error: ApiError) -> Vec<u8> {
    let status = error.kind.http_status();
    let body = line(error);
    let head = format!("HTTP/1.1 {status} Refused\r\ncontent-type: {JSON}\r\ncontent-length: {}\r\n", body.len());
    format!("{head}connection: close\r\n\r\n{body}").into_bytes()
}
