//! Consumed capacity: asks DynamoDB for it where the caller did not, and takes it out of the answer
//! again.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

/// `ConsumedCapacity`: one object, or one per table of a batch or transaction.
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

/// The request (a JSON object with at least one member) with `ReturnConsumedCapacity`.
pub fn ask(body: &Bytes) -> Bytes {
    let rest = body.trim_ascii_start();
    let mut asking = Vec::with_capacity(body.len() + 40);
    asking.extend_from_slice(br#"{"ReturnConsumedCapacity":"TOTAL","#);
    asking.extend_from_slice(&rest[1..]);
    asking.into()
}

/// The capacity units an answer reports.
pub fn units(answer: &[u8]) -> f64 {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(rename = "ConsumedCapacity")]
        consumed: Option<Consumed>,
    }
    match serde_json::from_slice::<Answer>(answer).ok().and_then(|a| a.consumed) {
        Some(Consumed::One(units)) => units.capacity_units,
        Some(Consumed::Many(units)) => units.iter().map(|u| u.capacity_units).sum(),
        None => 0.0,
    }
}

/// The answer as it would have been had nobody asked for the capacity. `None` when it is not a JSON
/// object.
pub fn strip(answer: &[u8]) -> Option<Vec<u8>> {
    // Raw values: members are copied as they are, not parsed.
    let mut members: BTreeMap<&str, &RawValue> = serde_json::from_slice(answer).ok()?;
    members.remove("ConsumedCapacity");
    serde_json::to_vec(&members).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_is_asked_for_counted_and_taken_out_again() {
        assert_eq!(
            ask(&Bytes::from_static(b" {\"A\":1}")),
            &br#"{"ReturnConsumedCapacity":"TOTAL","A":1}"#[..]
        );
        let answer =
            br#"{"ConsumedCapacity":{"TableName":"t","CapacityUnits":1.5},"Item":{"n":{"N":"1"}}}"#;
        assert!((units(answer) - 1.5).abs() < f64::EPSILON);
        assert_eq!(strip(answer).unwrap(), br#"{"Item":{"n":{"N":"1"}}}"#);
    }

    #[test]
    fn a_batch_reports_capacity_per_table() {
        let answer = br#"{"ConsumedCapacity":[{"CapacityUnits":1.0},{"CapacityUnits":2.0}]}"#;
        assert!((units(answer) - 3.0).abs() < f64::EPSILON);
    }

    #[test]
    fn an_answer_without_capacity_counts_nothing() {
        assert!(units(b"{}").abs() < f64::EPSILON);
    }
}
