//! The template's dashboard: valid JSON that names only metrics and resources that exist.

use serde_json::Value;

use super::alarms::exists;
use crate::support::template;

/// The body of the dashboard, with each `${...}` that CloudFormation replaces as it is.
fn body() -> (String, yaml_serde::Value) {
    let template = template();
    let body = &template["Resources"]["Dashboard"]["Properties"]["DashboardBody"];
    let yaml_serde::Value::Tagged(sub) = body else { panic!("not a !Sub") };
    (sub.value.as_str().expect("a text").to_owned(), template["Resources"].clone())
}

/// Checks a metric of a widget, and returns its name.
fn check(metric: &Value) -> String {
    let parts = metric.as_array().expect("an array");
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{metric}")).to_owned();
    if let Some(expression) = parts[0].get("expression") {
        // SEARCH('{Marketplace,Stack,Status} MetricName="Orders" Stack="..."', 'Sum', 300)
        let expression = text(expression);
        let (schema, rest) = expression
            .strip_prefix("SEARCH('{")
            .and_then(|rest| rest.split_once("} MetricName=\""))
            .unwrap_or_else(|| panic!("{expression}"));
        let name = rest.split('"').next().unwrap_or_default();
        let mut schema = schema.split(',');
        let namespace = schema.next().unwrap_or_default();
        let dimensions: Vec<_> = schema.collect();
        assert!(exists(namespace, name, &dimensions), "{expression}");
        assert!(expression.contains("${AWS::StackName}"), "other stacks count: {expression}");
        return name.to_owned();
    }
    let (namespace, name) = (text(&parts[0]), text(&parts[1]));
    let pairs: Vec<_> = parts[2..].iter().filter_map(Value::as_str).collect();
    let dimensions: Vec<_> = pairs.iter().step_by(2).copied().collect();
    assert!(pairs.len() % 2 == 0 && exists(&namespace, &name, &dimensions), "{metric}");
    name
}

#[test]
fn the_dashboard_is_valid_json_and_names_only_metrics_that_exist() {
    let (body, _) = body();
    let dashboard: Value = serde_json::from_str(&body).expect("JSON");
    let (mut rows, mut names) = (Vec::new(), Vec::new());
    for widget in dashboard["widgets"].as_array().expect("widgets") {
        let number =
            |name: &str| widget[name].as_u64().unwrap_or_else(|| panic!("{name}: {widget}"));
        assert!(number("x") + number("width") <= 24, "wider than the dashboard: {widget}");
        assert!(number("y") + number("height") < 1000, "{widget}");
        let properties = &widget["properties"];
        match widget["type"].as_str() {
            Some("text") => rows.push(properties["markdown"].as_str().expect("a text").to_owned()),
            Some("metric") => {
                assert!(
                    properties["title"].is_string() && properties["region"] == "${AWS::Region}"
                );
                names.extend(properties["metrics"].as_array().expect("metrics").iter().map(check));
            }
            other => panic!("a widget of type {other:?}"),
        }
    }
    let expected = ["Business", "APIs", "Functions", "Database", "Streams, schedules and webhooks"];
    assert_eq!(rows, expected.map(|title| format!("## {title}")));
    // All of ours are shown.
    for metric in super::metrics::declared() {
        assert!(names.contains(&metric.name), "the dashboard does not show {}", metric.name);
    }
}

#[test]
fn the_dashboard_refers_to_resources_of_the_template() {
    let (body, resources) = body();
    let references =
        body.split("${").skip(1).map(|rest| rest.split('}').next().unwrap_or_default());
    for reference in references.filter(|reference| !reference.starts_with("AWS::")) {
        let id = reference.split('.').next().unwrap_or_default();
        assert!(!resources[id].is_null(), "there is no resource {id}");
    }
}
