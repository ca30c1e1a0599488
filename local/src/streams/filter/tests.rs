use serde_json::json;

use super::*;

fn passes(pattern: Value) -> bool {
    let record = json!({
        "eventName": "MODIFY",
        "dynamodb": {
            "SizeBytes": 120,
            "Keys": {"pk": {"S": "ORDER#1"}},
            "NewImage": {
                "state": {"S": "open"}, "total": {"N": "100"}, "paid": {"BOOL": true},
                "tags": {"SS": ["red", "blue"]}, "none": {"NULL": true}, "empty": {"S": ""},
            },
        },
    });
    Filter::new(&[pattern]).unwrap().passes(&record)
}

fn image(attribute: &str, kind: &str, matchers: Value) -> bool {
    passes(json!({"dynamodb": {"NewImage": {attribute: {kind: matchers}}}}))
}

#[test]
fn a_record_passes_if_any_pattern_matches_or_there_are_none() {
    assert!(Filter::default().passes(&json!({})));
    let filter =
        Filter::new(&[json!({"eventName": ["INSERT"]}), json!({"eventName": ["MODIFY"]})]).unwrap();
    assert!(
        filter.passes(&json!({"eventName": "MODIFY"}))
            && !filter.passes(&json!({"eventName": "REMOVE"}))
    );
}

#[test]
fn values_match_exactly_and_one_of_a_list_is_enough() {
    assert!(image("state", "S", json!(["closed", "open"])));
    assert!(!image("state", "S", json!(["Open"])));
    assert!(image("paid", "BOOL", json!([true])) && !image("paid", "BOOL", json!([false])));
    assert!(image("empty", "S", json!([""])) && !image("state", "S", json!([""])));
    assert!(image("total", "N", json!(["100"])) && !image("total", "N", json!([100])));
    assert!(passes(json!({"dynamodb": {"SizeBytes": [120.0]}})));
}

#[test]
fn all_members_must_match() {
    assert!(passes(
        json!({"eventName": ["MODIFY"], "dynamodb": {"NewImage": {"state": {"S": ["open"]}}}})
    ));
    assert!(!passes(
        json!({"eventName": ["INSERT"], "dynamodb": {"NewImage": {"state": {"S": ["open"]}}}})
    ));
}

#[test]
fn a_set_matches_if_any_element_does() {
    assert!(image("tags", "SS", json!(["blue"])) && !image("tags", "SS", json!(["green"])));
}

#[test]
fn prefix_suffix_and_equals_ignore_case_match_strings() {
    let key = |matcher: Value| passes(json!({"dynamodb": {"Keys": {"pk": {"S": [matcher]}}}}));
    assert!(key(json!({"prefix": "ORDER#"})) && !key(json!({"prefix": "USER#"})));
    assert!(key(json!({"suffix": "#1"})) && !key(json!({"suffix": "#2"})));
    assert!(
        key(json!({"equals-ignore-case": "order#1"}))
            && !key(json!({"equals-ignore-case": "order#2"}))
    );
}

#[test]
fn exists_matches_leaves_only() {
    assert!(
        image("state", "S", json!([{"exists": true}]))
            && !image("state", "S", json!([{"exists": false}]))
    );
    assert!(
        image("gone", "S", json!([{"exists": false}]))
            && !image("gone", "S", json!([{"exists": true}]))
    );
    assert!(passes(json!({"dynamodb": {"OldImage": {"state": {"S": [{"exists": false}]}}}})));
    assert!(!passes(json!({"dynamodb": {"NewImage": {"state": [{"exists": true}]}}})));
}

#[test]
fn anything_but_needs_a_different_value() {
    assert!(image("state", "S", json!([{"anything-but": ["closed", "done"]}])));
    assert!(!image("state", "S", json!([{"anything-but": ["open", "done"]}])));
    assert!(!image("state", "S", json!([{"anything-but": "open"}])));
    assert!(!image("state", "S", json!([{"anything-but": {"prefix": "op"}}])));
    assert!(!image("gone", "S", json!([{"anything-but": ["x"]}])));
}

#[test]
fn numeric_matches_numbers_but_not_dynamodbs_string_numbers() {
    let size = |matcher: Value| passes(json!({"dynamodb": {"SizeBytes": [{"numeric": matcher}]}}));
    assert!(size(json!([">", 100, "<=", 120])) && !size(json!([">", 100, "<", 120])));
    assert!(size(json!(["=", 120])) && !size(json!([">=", 121])));
    assert!(!image("total", "N", json!([{"numeric": ["=", 100]}])));
}

#[test]
fn an_or_needs_one_alternative_and_all_other_members_must_match() {
    let or =
        json!([{"eventName": ["INSERT"]}, {"dynamodb": {"NewImage": {"state": {"S": ["open"]}}}}]);
    assert!(passes(json!({"$or": or})));
    assert!(!passes(json!({"$or": or, "dynamodb": {"SizeBytes": [1]}})));
    assert!(!passes(json!({"$or": [{"eventName": ["INSERT"]}, {"eventName": ["REMOVE"]}]})));
}

#[test]
fn errors_name_the_unsupported_part() {
    for (pattern, expected) in [
        (json!({"a": [{"wildcard": "x*"}]}), "wildcard"),
        (json!({"a": "x"}), "a in a filter pattern"),
        (json!({"a": []}), "empty list"),
        (json!({"a": [{"numeric": [">"]}]}), "numeric"),
        (json!("x"), "object"),
    ] {
        let error = Filter::new(&[pattern]).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
