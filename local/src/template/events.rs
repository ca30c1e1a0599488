//! `Events` of a function, which say what invokes it.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::model::{HttpRoute, Schedule, StreamMapping};
use super::properties::Properties;

/// A route and its place in the template.
pub(super) struct PlacedRoute {
    /// `Resources.<function>.Properties.Events.<key>.Properties`.
    pub(super) place: String,
    /// The id of its HTTP API, or `None` for the API that SAM creates for events without an
    /// `ApiId`.
    pub(super) api: Option<String>,
    /// The route.
    pub(super) route: HttpRoute,
}

/// Everything that invokes a function.
#[derive(Default)]
pub(super) struct Events {
    /// Routes of the HTTP API.
    pub(super) routes: Vec<PlacedRoute>,
    /// Event source mappings.
    pub(super) streams: Vec<StreamMapping>,
    /// Schedules.
    pub(super) schedules: Vec<Schedule>,
}

/// Reads the `Events` of the function named `function`.
///
/// # Errors
/// When a property is missing or malformed.
pub(super) fn read_events(function: &str, properties: &mut Properties<'_>) -> Result<Events> {
    let mut sources = Events::default();
    let Some(mut events) = properties.map("Events")? else {
        return Ok(sources);
    };
    for key in events.keys() {
        let Some(mut event) = events.map(&key)? else {
            continue;
        };
        let name = format!("{function}/{key}");
        let event_type = event.required("Type")?;
        let Some(properties) = event.map("Properties")? else {
            bail!("{}: missing", event.at("Properties"))
        };
        match event_type.as_str() {
            "HttpApi" => sources.routes.push(read_route(function, properties)?),
            "DynamoDB" => sources.streams.extend(read_stream(name, properties)?),
            "Schedule" => sources.schedules.extend(read_schedule(name, properties, "Schedule")?),
            "ScheduleV2" => {
                sources.schedules.extend(read_schedule(name, properties, "ScheduleExpression")?)
            }
            other => event.reject(
                "Type",
                &format!("the local cloud does not support events of type {other}"),
            ),
        }
        event.finish();
    }
    Ok(sources)
}

fn read_route(function: &str, mut properties: Properties<'_>) -> Result<PlacedRoute> {
    let api = properties.string("ApiId")?;
    // As in SAM, an event with neither a path nor a method is the API's `$default` route, which
    // gets the requests that match no other route.
    let (path, method) = match (properties.string("Path")?, properties.string("Method")?) {
        (None, None) => ("$default".to_owned(), "ANY".to_owned()),
        (Some(path), Some(method)) => (path, method.to_ascii_uppercase()),
        _ => bail!("{}: Path and Method require each other", properties.path()),
    };
    let is_path = path.starts_with('/') || path == "$default";
    ensure!(is_path, "{}: {path} does not start with a slash", properties.at("Path"));
    properties.only("PayloadFormatVersion", &["2.0"])?;
    let place = properties.path().to_owned();
    properties.finish();
    Ok(PlacedRoute { place, api, route: HttpRoute { method, path, function: function.to_owned() } })
}

/// Reads a `DynamoDB` event. Returns `None` if it is disabled.
/// <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-dynamodb.html>
fn read_stream(name: String, mut properties: Properties<'_>) -> Result<Option<StreamMapping>> {
    let stream = properties.required("Stream")?;
    let table = stream
        .split_once(":table/")
        .and_then(|(_, rest)| rest.split_once("/stream/"))
        .map(|(table, _)| table.to_owned())
        .with_context(|| {
            format!("{}: {stream} is not the stream of a table", properties.at("Stream"))
        })?;
    let starting_position = properties.required("StartingPosition")?;
    let from_start = match starting_position.as_str() {
        "TRIM_HORIZON" => true,
        "LATEST" => false,
        other => bail!(
            "{}: {other} is neither TRIM_HORIZON nor LATEST",
            properties.at("StartingPosition")
        ),
    };
    let report = properties.strings("FunctionResponseTypes")?;
    if let Some(unknown) = report.iter().find(|r| *r != "ReportBatchItemFailures") {
        let text = format!("the local cloud does not support {unknown}");
        properties.reject("FunctionResponseTypes", &text);
    }
    let batch_size = properties.parsed("BatchSize")?.unwrap_or(100);
    ensure!(
        (1..=10_000).contains(&batch_size),
        "{}: {batch_size} is not between 1 and 10000",
        properties.at("BatchSize")
    );
    let parallelization = properties.parsed("ParallelizationFactor")?.unwrap_or(1);
    ensure!(
        (1..=10).contains(&parallelization),
        "{}: {parallelization} is not between 1 and 10",
        properties.at("ParallelizationFactor")
    );
    let mapping = StreamMapping {
        name,
        table,
        batch_size,
        batch_window: Duration::from_secs(
            properties.parsed("MaximumBatchingWindowInSeconds")?.unwrap_or(0),
        ),
        from_start,
        filters: read_filters(&mut properties)?,
        bisect: properties.parsed("BisectBatchOnFunctionError")?.unwrap_or(false),
        report_batch_item_failures: !report.is_empty(),
        max_retries: read_limit(&mut properties, "MaximumRetryAttempts")?,
        max_age: read_limit(&mut properties, "MaximumRecordAgeInSeconds")?
            .map(|s| Duration::from_secs(s.into())),
        parallelization,
        on_failure: read_destination(&mut properties)?,
    };
    let enabled = properties.parsed("Enabled")?.unwrap_or(true);
    properties.without_effect(&[("MetricsConfig", "there are no metrics")]);
    properties.finish();
    Ok(enabled.then_some(mapping))
}

/// Takes a limit. -1, which is the default, means no limit.
fn read_limit(properties: &mut Properties<'_>, key: &str) -> Result<Option<u32>> {
    match properties.parsed::<i64>(key)? {
        None | Some(-1) => Ok(None),
        Some(limit) => limit
            .try_into()
            .map(Some)
            .with_context(|| format!("{}: {limit} is not a valid value", properties.at(key))),
    }
}

fn read_filters(properties: &mut Properties<'_>) -> Result<Vec<serde_json::Value>> {
    let Some(mut criteria) = properties.map("FilterCriteria")? else {
        return Ok(Vec::new());
    };
    let mut patterns = Vec::new();
    for mut filter in criteria.maps("Filters")? {
        let pattern = filter.required("Pattern")?;
        patterns.push(
            serde_json::from_str(&pattern)
                .with_context(|| format!("{}: not JSON", filter.at("Pattern")))?,
        );
        filter.finish();
    }
    criteria.finish();
    Ok(patterns)
}

fn read_destination(properties: &mut Properties<'_>) -> Result<Option<String>> {
    let Some(mut config) = properties.map("DestinationConfig")? else {
        return Ok(None);
    };
    let destination = match config.map("OnFailure")? {
        Some(mut on_failure) => {
            on_failure.only("Type", &["SQS"])?;
            let destination = on_failure.required("Destination")?;
            on_failure.finish();
            Some(destination)
        }
        None => None,
    };
    config.finish();
    Ok(destination)
}

/// Takes a string that contains JSON.
///
/// # Errors
/// When the value is not a string, or not JSON.
pub(super) fn json_text(
    properties: &mut Properties<'_>,
    key: &str,
) -> Result<Option<serde_json::Value>> {
    let text = properties.string(key)?;
    text.map(|text| {
        serde_json::from_str(&text).with_context(|| format!("{}: not JSON", properties.at(key)))
    })
    .transpose()
}

fn read_schedule(
    name: String,
    mut properties: Properties<'_>,
    expression: &str,
) -> Result<Option<Schedule>> {
    let schedule = Schedule {
        name,
        expression: properties.required(expression)?,
        input: json_text(&mut properties, "Input")?,
    };
    properties.only("ScheduleExpressionTimezone", &["UTC"])?;
    if let Some(mut window) = properties.map("FlexibleTimeWindow")? {
        window.only("Mode", &["OFF"])?;
        window.finish();
    }
    let enabled = properties.parsed("Enabled")?.unwrap_or(true)
        && properties.string("State")?.is_none_or(|s| s == "ENABLED");
    properties.without_effect(&[
        ("Name", "shown in the console"),
        ("OmitName", "shown in the console"),
        ("Description", "shown in the console"),
    ]);
    properties.finish();
    Ok(enabled.then_some(schedule))
}
