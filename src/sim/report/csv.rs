//! One line a message.

use std::fmt::Write;

use crate::sim::report::MessageRow;
use crate::sim::seconds::Seconds;

/// `id,src,dst,size,created,delivered,hops`: seconds from the start; the last two empty where it never arrived.
pub fn messages_csv(messages: &[MessageRow]) -> String {
    let mut text = String::from("id,src,dst,size,created,delivered,hops\n");
    for MessageRow { id, from, to, size, create_us, delivered_us, hops, .. } in messages {
        let delivered = delivered_us.map(|at_us| Seconds(at_us).to_string()).unwrap_or_default();
        let hops = hops.filter(|_| delivered_us.is_some()).map(|hops| hops.to_string()).unwrap_or_default();
        let id = csv_field(id);
        writeln!(text, "{id},{from},{to},{size},{},{delivered},{hops}", Seconds(*create_us))
            .expect("writing to a string cannot fail");
    }
    text
}

/// RFC 4180: quotes where a comma, a quote or the end of a line stands.
pub fn csv_field(field: &str) -> String {
    match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_never_arrived_has_empty_fields() {
        let lost = MessageRow { id: "a,\"b".into(), to: 2, size: 9, create_us: 1_500_000, ..MessageRow::default() };
        let arrived = MessageRow { id: "M1".into(), delivered_us: Some(2_000_000), hops: Some(3), ..lost.clone() };
        let text = messages_csv(&[lost, arrived]);
        assert_eq!(text.lines().nth(1), Some("\"a,\"\"b\",0,2,9,1.5,,"));
        assert_eq!(text.lines().nth(2), Some("M1,0,2,9,1.5,2.0,3"));
    }
}
