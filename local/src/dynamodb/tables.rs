//! Makes the database's tables match the template: creates missing tables, and updates or checks
//! existing ones.

use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::upstream::{ApiError, Upstream};
use crate::model::Table;

/// Properties that `CreateTable` accepts under the same name.
const CREATE: [&str; 9] = [
    "TableName",
    "AttributeDefinitions",
    "BillingMode",
    "DeletionProtectionEnabled",
    "KeySchema",
    "LocalSecondaryIndexes",
    "OnDemandThroughput",
    "ProvisionedThroughput",
    "TableClass",
];

/// Properties that are handled separately, or that have no effect visible through the API: backups,
/// encryption at rest, metrics.
const OTHER: [&str; 8] = [
    "ContributorInsightsSpecification",
    "GlobalSecondaryIndexes",
    "PointInTimeRecoverySpecification",
    "SSESpecification",
    "StreamSpecification",
    "Tags",
    "TimeToLiveSpecification",
    "WarmThroughput",
];

/// Creates `table`, or updates it to match the template if that loses no data.
///
/// # Errors
/// When the table has an unsupported property, its existing data has other keys or indexes, or the
/// database fails.
pub async fn create_or_update(upstream: &Upstream, table: &Table) -> anyhow::Result<()> {
    let create = create_request(table)?;
    match upstream.call("DescribeTable", &json!({"TableName": table.name})).await {
        Ok(described) => update(upstream, table, &create, &described["Table"]).await?,
        Err(error)
            if error
                .downcast_ref::<ApiError>()
                .is_some_and(|e| e.code == "ResourceNotFoundException") =>
        {
            upstream
                .call("CreateTable", &create)
                .await
                .with_context(|| format!("can't create table {}", table.name))?;
        }
        Err(error) => return Err(error),
    }
    wait_until_active(upstream, table).await?;
    update_ttl(upstream, table).await
}

/// Returns the body of the `CreateTable` request.
fn create_request(table: &Table) -> anyhow::Result<Value> {
    let properties = table
        .properties
        .as_object()
        .with_context(|| format!("table {} has no properties", table.name))?;
    if let Some(name) =
        properties.keys().find(|k| !CREATE.contains(&k.as_str()) && !OTHER.contains(&k.as_str()))
    {
        bail!("the local cloud doesn't support the property {name} of table {}", table.name);
    }
    let mut request: serde_json::Map<String, Value> = properties
        .iter()
        .filter(|(k, _)| CREATE.contains(&k.as_str()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    request.insert("TableName".into(), table.name.clone().into());
    if let Some(indexes) = properties.get("GlobalSecondaryIndexes").and_then(Value::as_array) {
        request.insert("GlobalSecondaryIndexes".into(), indexes.iter().map(global_index).collect());
    }
    if let Some(view) = &table.stream_view_type {
        request.insert(
            "StreamSpecification".into(),
            json!({"StreamEnabled": true, "StreamViewType": view}),
        );
    }
    Ok(request.into())
}

/// Returns an index without the properties that `CreateTable` doesn't accept.
fn global_index(index: &Value) -> Value {
    let mut index = index.clone();
    if let Some(members) = index.as_object_mut() {
        members.retain(|name, _| !OTHER.contains(&name.as_str()));
    }
    index
}

/// Makes the changes that CloudFormation would make to an existing table, except replacing it.
async fn update(
    upstream: &Upstream,
    table: &Table,
    wanted: &Value,
    found: &Value,
) -> anyhow::Result<()> {
    let differs = |what: &str| {
        anyhow::anyhow!(
            "table {} in the database has {what} than in the template: remove the data directory \
             or start with --ephemeral",
            table.name
        )
    };
    if wanted["KeySchema"] != found["KeySchema"] {
        return Err(differs("different keys"));
    }
    for key in wanted["KeySchema"].as_array().into_iter().flatten() {
        let name = &key["AttributeName"];
        if attribute_type(wanted, name) != attribute_type(found, name) {
            return Err(differs(&format!("a different type of key {name}")));
        }
    }
    let local = "LocalSecondaryIndexes";
    if !indexes(wanted, local)
        .into_iter()
        .map(shape)
        .eq(indexes(found, local).into_iter().map(shape))
    {
        return Err(differs("different local secondary indexes"));
    }

    let (wanted_indexes, found_indexes) =
        (indexes(wanted, "GlobalSecondaryIndexes"), indexes(found, "GlobalSecondaryIndexes"));
    for index in &wanted_indexes {
        let name = &index["IndexName"];
        match found_indexes.iter().find(|i| i["IndexName"] == *name) {
            Some(existing) if shape(existing) == shape(index) => {}
            Some(_) => return Err(differs(&format!("a different index {name}"))),
            None => {
                let create = json!([{"Create": index}]);
                change(upstream, table, wanted, json!({"GlobalSecondaryIndexUpdates": create}))
                    .await?;
            }
        }
    }
    for index in &found_indexes {
        let name = &index["IndexName"];
        if !wanted_indexes.iter().any(|i| i["IndexName"] == *name) {
            let delete = json!([{"Delete": {"IndexName": name}}]);
            change(upstream, table, wanted, json!({"GlobalSecondaryIndexUpdates": delete})).await?;
        }
    }

    let view = |t: &Value| match t["StreamSpecification"]["StreamEnabled"].as_bool() {
        Some(true) => t["StreamSpecification"]["StreamViewType"].clone(),
        _ => Value::Null,
    };
    if view(wanted) != view(found) {
        if !view(found).is_null() {
            change(
                upstream,
                table,
                wanted,
                json!({"StreamSpecification": {"StreamEnabled": false}}),
            )
            .await?;
        }
        if !view(wanted).is_null() {
            change(
                upstream,
                table,
                wanted,
                json!({"StreamSpecification": wanted["StreamSpecification"]}),
            )
            .await?;
        }
    }
    Ok(())
}

/// Calls `UpdateTable` with one change and waits until the table is active again.
async fn change(
    upstream: &Upstream,
    table: &Table,
    wanted: &Value,
    mut change: Value,
) -> anyhow::Result<()> {
    change["TableName"] = table.name.clone().into();
    change["AttributeDefinitions"] = wanted["AttributeDefinitions"].clone();
    upstream
        .call("UpdateTable", &change)
        .await
        .with_context(|| format!("can't update table {}", table.name))?;
    wait_until_active(upstream, table).await
}

/// Returns the indexes of a kind, sorted by name.
fn indexes<'a>(table: &'a Value, kind: &str) -> Vec<&'a Value> {
    let mut indexes: Vec<_> = table[kind].as_array().into_iter().flatten().collect();
    indexes.sort_by_key(|i| i["IndexName"].as_str());
    indexes
}

/// Returns the parts of an index that can't be changed. Two indexes with equal parts are the same.
fn shape(index: &Value) -> (Value, Value, Value, Vec<&str>) {
    let projection = &index["Projection"];
    let mut attributes: Vec<_> = projection["NonKeyAttributes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    attributes.sort_unstable();
    (
        index["IndexName"].clone(),
        index["KeySchema"].clone(),
        projection["ProjectionType"].clone(),
        attributes,
    )
}

fn attribute_type<'a>(table: &'a Value, name: &Value) -> Option<&'a Value> {
    let definitions = table["AttributeDefinitions"].as_array()?;
    definitions.iter().find(|d| d["AttributeName"] == *name).map(|d| &d["AttributeType"])
}

/// Waits until the table and its indexes are active. DynamoDB Local creates them in the background,
/// as AWS does.
async fn wait_until_active(upstream: &Upstream, table: &Table) -> anyhow::Result<()> {
    for _ in 0..600 {
        let described = upstream.call("DescribeTable", &json!({"TableName": table.name})).await?;
        let statuses = std::iter::once(&described["Table"]["TableStatus"]).chain(
            indexes(&described["Table"], "GlobalSecondaryIndexes")
                .into_iter()
                .map(|i| &i["IndexStatus"]),
        );
        if statuses.into_iter().all(|status| status == "ACTIVE") {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("table {} isn't ACTIVE after a minute", table.name)
}

/// Turns TTL on or off, or changes its attribute.
async fn update_ttl(upstream: &Upstream, table: &Table) -> anyhow::Result<()> {
    let described = upstream.call("DescribeTimeToLive", &json!({"TableName": table.name})).await?;
    let found = &described["TimeToLiveDescription"];
    let found = match found["TimeToLiveStatus"].as_str() {
        Some("ENABLED" | "ENABLING") => found["AttributeName"].as_str(),
        _ => None,
    };
    let wanted = table.ttl_attribute.as_deref();
    if found == wanted {
        return Ok(());
    }
    for (attribute, enabled) in [(found, false), (wanted, true)] {
        if let Some(attribute) = attribute {
            let specification = json!({"AttributeName": attribute, "Enabled": enabled});
            let body = json!({"TableName": table.name, "TimeToLiveSpecification": specification});
            upstream
                .call("UpdateTimeToLive", &body)
                .await
                .with_context(|| format!("can't update the TTL of table {}", table.name))?;
        }
    }
    Ok(())
}
