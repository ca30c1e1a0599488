use serde_json::{Value, json};

use super::*;
use crate::domain::order::tests::fixture;
use crate::domain::order::{Order, Transition};

fn lines(recorded: &[(Metric, &str, &[u64])]) -> Vec<Value> {
    let recorded = recorded.iter().map(|(m, by, values)| ((*m, (*by).to_owned()), values.to_vec()));
    let now = Timestamp::from_millisecond(1_781_234_567_890).unwrap();
    let text = emf::lines(&recorded.collect(), "marketplace", now);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Checks a value against the keywords that AWS's schema uses. Panics at the first violation.
fn validate(value: &Value, schema: &Value, at: &str) {
    for (keyword, wanted) in schema.as_object().unwrap() {
        let length = value.as_str().map_or(0, str::len) + value.as_array().map_or(0, Vec::len);
        let limit = || usize::try_from(wanted.as_u64().unwrap()).unwrap();
        let is_valid = match keyword.as_str() {
            "$comment" => true,
            "type" => match wanted.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "integer" => value.is_u64(),
                other => panic!("the schema has the type {other}"),
            },
            "required" => wanted.as_array().unwrap().iter().all(|name| {
                value.as_object().is_some_and(|object| object.contains_key(name.as_str().unwrap()))
            }),
            "enum" => wanted.as_array().unwrap().contains(value),
            "minLength" | "minItems" => length >= limit(),
            "maxLength" | "maxItems" => length <= limit(),
            "properties" => {
                for (name, schema) in wanted.as_object().unwrap() {
                    let property = value.as_object().and_then(|object| object.get(name));
                    property.inspect(|value| validate(value, schema, &format!("{at}.{name}")));
                }
                true
            }
            "items" => {
                value.as_array().unwrap().iter().for_each(|item| validate(item, wanted, at));
                true
            }
            other => panic!("the schema has the keyword {other}"),
        };
        assert!(is_valid, "{at}: {value} violates {keyword}: {wanted}");
    }
}

/// Checks a line against the schema, and against what the specification adds in words: each
/// metric and each dimension that it names is a member of the document, with at most 100 values.
fn check(document: &Value) {
    let schema: Value = serde_json::from_str(include_str!("emf.schema.json")).unwrap();
    validate(document, &schema, "$");
    for directive in document["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
        for name in directive["Dimensions"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|set| set.as_array().unwrap().iter().map(|name| name.as_str().unwrap()))
        {
            assert!(document[name].as_str().is_some_and(|value| !value.is_empty()), "{name}");
        }
        for metric in directive["Metrics"].as_array().unwrap() {
            match &document[metric["Name"].as_str().unwrap()] {
                Value::Number(_) => {}
                Value::Array(values) => {
                    assert!(
                        (1..=100).contains(&values.len()) && values.iter().all(Value::is_number)
                    );
                }
                other => panic!("{metric}: {other}"),
            }
        }
    }
}

#[test]
fn a_line_is_exactly_what_the_embedded_metric_format_wants() {
    let lines = lines(&[(ORDERS, "completed", &[2]), (INBOX_AGE, "", &[120, 80])]);
    assert_eq!(
        lines,
        [
            json!({
                "_aws": {
                    "Timestamp": 1_781_234_567_890_u64,
                    "CloudWatchMetrics": [{
                        "Namespace": "Marketplace",
                        "Dimensions": [["Stack"]],
                        "Metrics": [{"Name": "InboxAge", "Unit": "Milliseconds"}],
                    }],
                },
                "Stack": "marketplace", "InboxAge": [120, 80],
            }),
            json!({
                "_aws": {
                    "Timestamp": 1_781_234_567_890_u64,
                    "CloudWatchMetrics": [{
                        "Namespace": "Marketplace",
                        "Dimensions": [["Stack", "Status"]],
                        "Metrics": [{"Name": "Orders", "Unit": "Count"}],
                    }],
                },
                "Stack": "marketplace", "Status": "completed", "Orders": 2,
            }),
        ]
    );
}

#[test]
fn every_metric_follows_the_schema_that_aws_documents() {
    for metric in ALL {
        let by = if metric.dimension.is_some() { "x" } else { "" };
        for line in lines(&[(*metric, by, &[1])]) {
            check(&line);
        }
    }
}

#[test]
fn many_values_are_split_into_lines_of_a_hundred() {
    let values: Vec<u64> = (0..250).collect();
    let lines = lines(&[(INBOX_AGE, "", &values)]);
    lines.iter().for_each(check);
    let counts: Vec<_> =
        lines.iter().map(|line| line["InboxAge"].as_array().unwrap().len()).collect();
    assert_eq!(counts, [100, 100, 50]);
}

#[test]
#[should_panic(expected = "violates enum")]
fn the_schema_refuses_an_unknown_unit() {
    let mut line = lines(&[(ORDERS, "completed", &[1])]).remove(0);
    line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Unit"] = json!("Pieces");
    check(&line);
}

#[test]
fn counts_add_up_and_values_are_kept() {
    let pushes = |by: &str| recorded().get(&(PUSHES, by.to_owned())).cloned();
    PUSHES.add("counted by this test", 2);
    PUSHES.add("counted by this test", 3);
    assert_eq!(pushes("counted by this test"), Some(vec![5]));
    let many = Metric { name: "of this test", ..INBOX_AGE };
    many.record(7);
    many.record(9);
    assert_eq!(recorded().get(&(many, String::new())), Some(&vec![7, 9]));
}

/// An order that was placed, paid and canceled, and whose refund Stripe refused three times.
fn versions() -> Vec<Order> {
    let placed = fixture::placed();
    let paid = placed.with_fact(&fixture::succeeded());
    let canceled = paid.then(Transition::Cancel, &fixture::client());
    let mut versions = vec![placed, paid, canceled];
    for _ in 0..3 {
        versions.push(versions.last().unwrap().record_refund_refusal(fixture::minute(1)));
    }
    versions
}

#[test]
fn each_change_of_an_order_counts_once() {
    let versions = versions();
    let before = std::iter::once(None).chain(versions.iter().map(Some));
    let counted: Vec<Vec<_>> = before
        .zip(&versions)
        .map(|(before, now)| {
            let changes = order::changes(before, now).into_iter();
            changes.map(|(metric, by, count)| format!("{} {by} {count}", metric.name)).collect()
        })
        .collect();
    assert_eq!(
        counted,
        [
            vec!["Orders pending 1"],
            vec!["Orders open 1", "Payments paid 1"],
            vec!["Orders canceled 1", "Payments refund_pending 1"],
            vec!["Refunds refused 1"],
            vec!["Refunds refused 1"],
            vec!["Attention refund_failed 1", "Refunds refused 1"],
        ]
    );
}
