//! Writes recorded values in the embedded metric format.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Metric, Recorded, VALUES_PER_LINE};

/// The namespace of all metrics.
const NAMESPACE: &str = "Marketplace";

/// Returns a JSON line for each entry of `recorded`. An entry with more than [`VALUES_PER_LINE`]
/// values gets several lines.
pub(super) fn lines(recorded: &Recorded, stack: &str, now: Timestamp) -> String {
    let mut lines = String::new();
    for ((metric, dimension_value), values) in recorded {
        for values in values.chunks(VALUES_PER_LINE) {
            lines.push_str(&document(*metric, dimension_value, values, stack, now).to_string());
            lines.push('\n');
        }
    }
    lines
}

fn document(
    metric: Metric,
    dimension_value: &str,
    values: &[u64],
    stack: &str,
    now: Timestamp,
) -> Value {
    let mut dimensions = vec![vec!["Stack"]];
    if let Some(dimension) = metric.dimension {
        dimensions.push(vec!["Stack", dimension]);
        if !metric.is_totaled {
            dimensions.remove(0);
        }
    }
    let metadata = json!({
        "Timestamp": now.as_millisecond(),
        "CloudWatchMetrics": [{
            "Namespace": NAMESPACE,
            "Dimensions": dimensions,
            "Metrics": [{"Name": metric.name, "Unit": metric.unit}],
        }],
    });
    let mut document = Map::new();
    document.insert("_aws".to_owned(), metadata);
    document.insert("Stack".to_owned(), stack.into());
    if let Some(dimension) = metric.dimension {
        document.insert(dimension.to_owned(), dimension_value.into());
    }
    let value = match values {
        [value] => json!(value),
        values => json!(values),
    };
    document.insert(metric.name.to_owned(), value);
    Value::Object(document)
}
