//! Consumed capacity. If the caller doesn't request it, the proxy does, and removes it from the
//! response before the caller gets it.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The `ConsumedCapacity` of a response: one object, or one per table for batches and transactions.
#[derive(Deserialize)]
#[serde(untagged)]
enum Consumed {
    One(Units),
    Many(Vec<Units>),
}

#[derive(Deserialize)]
struct Units {
    #[serde(rename = "CapacityUnits", default)]
    capacity_units: f64,
}

/// Returns the request `body` with `ReturnConsumedCapacity` added. The body must be a JSON object
/// with at least one member.
pub fn request_capacity(body: &Bytes) -> Bytes {
    let rest = body.trim_ascii_start();
    let mut with_capacity_request = Vec::with_capacity(body.len() + 40);
    with_capacity_request.extend_from_slice(br#"{"ReturnConsumedCapacity":"TOTAL","#);
    with_capacity_request.extend_from_slice(&rest[1..]);
    with_capacity_request.into()
}

/// Returns the capacity units that a response reports, summed over its tables.
pub fn units(response: &[u8]) -> f64 {
    #[derive(Deserialize)]
    struct Response {
        #[serde(rename = "ConsumedCapacity")]
        consumed: Option<Consumed>,
    }
    match serde_json::from_slice::<Response>(response).ok().and_then(|r| r.consumed) {
        Some(Consumed::One(units)) => units.capacity_units,
        Some(Consumed::Many(units)) => units.iter().map(|u| u.capacity_units).sum(),
        None => 0.0,
    }
}

/// Returns the response without `ConsumedCapacity`, or `None` if it isn't a JSON object.
pub fn strip(response: &[u8]) -> Option<Vec<u8>> {
    // Raw values copy the other members byte for byte instead of parsing them.
    let mut members: BTreeMap<&str, &RawValue> = serde_json::from_slice(response).ok()?;
    members.remove("ConsumedCapacity");
    serde_json::to_vec(&members).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_is_requested_counted_and_stripped() {
        assert_eq!(
            request_capacity(&Bytes::from_static(b" {\"A\":1}")),
            &br#"{"ReturnConsumedCapacity":"TOTAL","A":1}"#[..]
        );
        let response =
            br#"{"ConsumedCapacity":{"TableName":"t","CapacityUnits":1.5},"Item":{"n":{"N":"1"}}}"#;
        assert!((units(response) - 1.5).abs() < f64::EPSILON);
        assert_eq!(strip(response).unwrap(), br#"{"Item":{"n":{"N":"1"}}}"#);
    }

    #[test]
    fn a_batch_reports_capacity_per_table() {
        let response = br#"{"ConsumedCapacity":[{"CapacityUnits":1.0},{"CapacityUnits":2.0}]}"#;
        assert!((units(response) - 3.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_response_without_capacity_counts_as_zero() {
        assert!(units(b"{}").abs() < f64::EPSILON);
    }
}
