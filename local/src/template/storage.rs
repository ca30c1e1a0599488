//! `AWS::DynamoDB::Table`, `AWS::SQS::Queue` and `AWS::SecretsManager::Secret`.

use anyhow::{Context, Result, bail, ensure};
use yaml_serde::Value;

use super::model::{Queue, Secret, SecretValue, Table};
use super::properties::{Properties, UNSUPPORTED, json};

/// Reads the table with this name and ARN.
///
/// # Errors
/// When `KeySchema` is missing, or a property is malformed.
pub(super) fn read_table(
    name: String,
    arn: String,
    mut properties: Properties<'_>,
) -> Result<Table> {
    properties.only("BillingMode", &["PAY_PER_REQUEST", "PROVISIONED"])?;
    ignore_throughput(&mut properties)?;
    let mut definition = serde_json::Map::from_iter([
        ("TableName".to_owned(), name.clone().into()),
        ("BillingMode".to_owned(), "PAY_PER_REQUEST".into()),
    ]);
    // The caller has read the name.
    properties.value("TableName")?;
    for (key, fields) in [
        ("KeySchema", &["AttributeName", "KeyType"][..]),
        ("AttributeDefinitions", &["AttributeName", "AttributeType"]),
        ("GlobalSecondaryIndexes", &["IndexName", "KeySchema", "Projection"]),
        ("LocalSecondaryIndexes", &["IndexName", "KeySchema", "Projection"]),
    ] {
        if let Some(mut value) = properties.value(key)? {
            for item in value.as_sequence_mut().into_iter().flatten() {
                item.as_mapping_mut().map(|item| item.remove("ProvisionedThroughput"));
            }
            reject_other_fields(&value, fields, key, &properties)?;
            definition.insert(key.to_owned(), json(&value, &properties.at(key))?);
        }
    }
    ensure!(definition.contains_key("KeySchema"), "{}: missing", properties.at("KeySchema"));
    let stream_view_type = match properties.map("StreamSpecification")? {
        Some(mut stream) => {
            let view = stream.required("StreamViewType")?;
            stream.finish();
            definition.insert(
                "StreamSpecification".into(),
                serde_json::json!({"StreamEnabled": true, "StreamViewType": view}),
            );
            Some(view)
        }
        None => None,
    };
    let ttl_attribute = match properties.map("TimeToLiveSpecification")? {
        Some(mut ttl) => {
            let attribute = ttl.string("AttributeName")?;
            let enabled = ttl.parsed("Enabled")?.unwrap_or(false);
            ttl.finish();
            attribute.filter(|_| enabled)
        }
        None => None,
    };
    properties.without_effect(&[
        ("ContributorInsightsSpecification", "there are no metrics"),
        ("DeletionProtectionEnabled", "no stack is deleted here"),
        ("PointInTimeRecoverySpecification", "there are no backups here"),
        ("SSESpecification", "encryption at rest"),
        ("TableClass", "only affects the price"),
        ("Tags", "tags are for billing"),
    ]);
    properties.finish();
    Ok(Table { name, arn, properties: definition.into(), ttl_attribute, stream_view_type })
}

/// Takes a table's throughput and notes that the local database does not enforce it.
fn ignore_throughput(properties: &mut Properties<'_>) -> Result<()> {
    if properties.value("ProvisionedThroughput")?.is_some() {
        properties.note("ProvisionedThroughput", "not enforced: nothing is throttled here");
    }
    Ok(())
}

/// Reads the `SimpleTable` with this name and ARN: its only key is a partition key.
///
/// # Errors
/// When a property is malformed.
pub(super) fn read_simple_table(
    name: String,
    arn: String,
    mut properties: Properties<'_>,
) -> Result<Table> {
    let (mut key, mut key_type) = ("id".to_owned(), "S");
    if let Some(mut primary) = properties.map("PrimaryKey")? {
        key = primary.string("Name")?.unwrap_or(key);
        key_type = match primary.string("Type")?.as_deref() {
            None | Some("String") => "S",
            Some("Number") => "N",
            Some("Binary") => "B",
            Some(other) => {
                bail!("{}: {other} is not String, Number or Binary", primary.at("Type"))
            }
        };
        primary.finish();
    }
    ignore_throughput(&mut properties)?;
    properties.without_effect(&[
        ("TableName", "the caller has read it"),
        ("PointInTimeRecoverySpecification", "there are no backups here"),
        ("SSESpecification", "encryption at rest"),
        ("Tags", "tags are for billing"),
    ]);
    properties.finish();
    let definition = serde_json::json!({
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": key_type}],
    });
    Ok(Table { name, arn, properties: definition, ttl_attribute: None, stream_view_type: None })
}

/// Rejects each field of the list's items that is not in `fields`.
///
/// # Errors
/// When `list` is not a list of maps.
fn reject_other_fields(
    list: &Value,
    fields: &[&str],
    key: &str,
    properties: &Properties<'_>,
) -> Result<()> {
    let path = properties.at(key);
    let items = list.as_sequence().with_context(|| format!("{path}: must be a list"))?;
    for (i, item) in items.iter().enumerate() {
        let item = item.as_mapping().with_context(|| format!("{path}[{i}]: must be a map"))?;
        for field in item.keys().filter_map(Value::as_str).filter(|f| !fields.contains(f)) {
            properties.reject(&format!("{key}[{i}].{field}"), UNSUPPORTED);
        }
    }
    Ok(())
}

/// Reads the queue with this name and ARN.
///
/// # Errors
/// When an intrinsic in `QueueName` can't be evaluated.
pub(super) fn read_queue(
    name: String,
    arn: String,
    mut properties: Properties<'_>,
) -> Result<Queue> {
    properties.value("QueueName")?;
    // A queue is only a destination for failed batches. Functions can't receive from it.
    properties.without_effect(&[
        ("KmsMasterKeyId", "encryption at rest"),
        ("MessageRetentionPeriod", "messages are kept until the data directory is removed"),
        ("SqsManagedSseEnabled", "encryption at rest"),
        ("Tags", "tags are for billing"),
    ]);
    properties.finish();
    Ok(Queue { name, arn })
}

/// Reads the secret with this name and ARN.
///
/// # Errors
/// When a property is malformed, or the template both gives and generates the value.
pub(super) fn read_secret(
    name: String,
    arn: String,
    mut properties: Properties<'_>,
) -> Result<Secret> {
    properties.value("Name")?;
    let value = match (properties.string("SecretString")?, properties.map("GenerateSecretString")?)
    {
        (Some(_), Some(_)) => {
            bail!("{}: can't be combined with SecretString", properties.at("GenerateSecretString"))
        }
        (Some(given), None) => SecretValue::Given(given),
        (None, Some(generate)) => read_generated(generate)?,
        (None, None) => SecretValue::Unset,
    };
    properties.without_effect(&[
        ("Description", "shown in the console"),
        ("KmsKeyId", "encryption at rest"),
        ("Tags", "tags are for billing"),
    ]);
    properties.finish();
    Ok(Secret { name, arn, value })
}

/// Reads `GenerateSecretString`.
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html>
fn read_generated(mut properties: Properties<'_>) -> Result<SecretValue> {
    let length = properties.parsed("PasswordLength")?.unwrap_or(32);
    ensure!(
        (4..=4096).contains(&length),
        "{}: {length} is not between 4 and 4096",
        properties.at("PasswordLength")
    );
    let excluded = properties.string("ExcludeCharacters")?.unwrap_or_default();
    let mut classes = Vec::new();
    for (exclude, class) in [
        ("ExcludeUppercase", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        ("ExcludeLowercase", "abcdefghijklmnopqrstuvwxyz"),
        ("ExcludeNumbers", "0123456789"),
        ("ExcludePunctuation", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    ] {
        if !properties.parsed(exclude)?.unwrap_or(false) {
            let class: String = class.chars().filter(|c| !excluded.contains(*c)).collect();
            classes.extend(Some(class).filter(|c| !c.is_empty()));
        }
    }
    if properties.parsed("IncludeSpace")?.unwrap_or(false) {
        classes.push(" ".into());
    }
    ensure!(!classes.is_empty(), "{}: no characters are left", properties.path());
    properties.only("RequireEachIncludedType", &["true"])?;
    let object =
        match (properties.string("SecretStringTemplate")?, properties.string("GenerateStringKey")?)
        {
            (Some(template), Some(key)) => {
                let template = serde_json::from_str(&template);
                Some((
                    template.with_context(|| {
                        format!("{}: not a JSON object", properties.at("SecretStringTemplate"))
                    })?,
                    key,
                ))
            }
            (None, None) => None,
            _ => bail!(
                "{}: SecretStringTemplate and GenerateStringKey require each other",
                properties.path()
            ),
        };
    properties.finish();
    Ok(SecretValue::Generated { length, classes, object })
}
