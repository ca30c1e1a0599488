//! `AWS::DynamoDB::Table`, `AWS::SQS::Queue` and `AWS::SecretsManager::Secret`.

use anyhow::{Context, Result, bail, ensure};
use yaml_serde::Value;

use super::model::{Queue, Secret, SecretValue, Table};
use super::properties::{Properties, json};

/// Reads a table. `name` and `arn` are its own.
pub(super) fn read_table(
    name: String,
    arn: String,
    mut properties: Properties<'_>,
) -> Result<Table> {
    // The default, PROVISIONED, throttles; the local database does not.
    let billing_mode = properties.required("BillingMode")?;
    ensure!(
        billing_mode == "PAY_PER_REQUEST",
        "{}: the local cloud does only PAY_PER_REQUEST, not {billing_mode}",
        properties.at("BillingMode")
    );
    let mut kept = serde_json::Map::from_iter([
        ("TableName".to_owned(), name.clone().into()),
        ("BillingMode".to_owned(), billing_mode.into()),
    ]);
    properties.value("TableName")?;
    for (key, fields) in [
        ("KeySchema", &["AttributeName", "KeyType"][..]),
        ("AttributeDefinitions", &["AttributeName", "AttributeType"]),
        ("GlobalSecondaryIndexes", &["IndexName", "KeySchema", "Projection"]),
        ("LocalSecondaryIndexes", &["IndexName", "KeySchema", "Projection"]),
    ] {
        if let Some(value) = properties.value(key)? {
            only_fields(&value, fields, &properties.at(key))?;
            kept.insert(key.to_owned(), json(&value, &properties.at(key))?);
        }
    }
    ensure!(kept.contains_key("KeySchema"), "{}: missing", properties.at("KeySchema"));
    let stream_view_type = match properties.map("StreamSpecification")? {
        Some(mut stream) => {
            let view = stream.required("StreamViewType")?;
            stream.finish()?;
            kept.insert(
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
            ttl.finish()?;
            attribute.filter(|_| enabled)
        }
        None => None,
    };
    properties.without_effect(&[
        ("ContributorInsightsSpecification", "there are no metrics"),
        ("DeletionProtectionEnabled", "no stack is deleted here"),
        ("PointInTimeRecoverySpecification", "a backup that only AWS restores"),
        ("SSESpecification", "encrypts the disks of AWS"),
        ("TableClass", "a matter of price"),
        ("Tags", "tags are for the bill"),
    ]);
    properties.finish()?;
    Ok(Table { name, arn, properties: kept.into(), ttl_attribute, stream_view_type })
}

fn only_fields(list: &Value, fields: &[&str], path: &str) -> Result<()> {
    let items = list.as_sequence().with_context(|| format!("{path}: must be a list"))?;
    for (i, item) in items.iter().enumerate() {
        let item = item.as_mapping().with_context(|| format!("{path}[{i}]: must be a map"))?;
        if let Some(key) = item.keys().filter_map(Value::as_str).find(|key| !fields.contains(key)) {
            bail!("{path}[{i}].{key}: the local cloud does not do this");
        }
    }
    Ok(())
}

/// Reads a queue. `name` and `arn` are its own.
pub(super) fn read_queue(
    name: String,
    arn: String,
    mut properties: Properties<'_>,
) -> Result<Queue> {
    properties.value("QueueName")?;
    // Queues are only destinations here: nothing receives from them.
    properties.without_effect(&[
        ("KmsMasterKeyId", "encrypts the disks of AWS"),
        ("MessageRetentionPeriod", "what arrives is kept until the data directory is removed"),
        ("SqsManagedSseEnabled", "encrypts the disks of AWS"),
        ("Tags", "tags are for the bill"),
    ]);
    properties.finish()?;
    Ok(Queue { name, arn })
}

/// Reads a secret. `name` and `arn` are its own.
pub(super) fn read_secret(
    name: String,
    arn: String,
    mut properties: Properties<'_>,
) -> Result<Secret> {
    properties.value("Name")?;
    let value = match (properties.string("SecretString")?, properties.map("GenerateSecretString")?)
    {
        (Some(_), Some(_)) => {
            bail!("{}: stands beside SecretString", properties.at("GenerateSecretString"))
        }
        (Some(given), None) => SecretValue::Given(given),
        (None, Some(generate)) => read_generated(generate)?,
        (None, None) => SecretValue::Unset,
    };
    properties.without_effect(&[
        ("Description", "shown in the console"),
        ("KmsKeyId", "encrypts the disks of AWS"),
        ("Tags", "tags are for the bill"),
    ]);
    properties.finish()?;
    Ok(Secret { name, arn, value })
}

/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html>
fn read_generated(mut properties: Properties<'_>) -> Result<SecretValue> {
    let length = properties.parsed("PasswordLength")?.unwrap_or(32);
    ensure!(
        (4..=4096).contains(&length),
        "{}: {length} is not within 4 and 4096",
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
                "{}: SecretStringTemplate and GenerateStringKey go together",
                properties.path()
            ),
        };
    properties.finish()?;
    Ok(SecretValue::Generated { length, classes, object })
}
