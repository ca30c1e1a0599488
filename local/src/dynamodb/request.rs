//! Translates a DynamoDB request into what IAM checks: actions on tables and indexes, with
//! partition keys.
//!
//! The actions and resources of each operation are listed in
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html>

use std::collections::HashMap;

use serde_json::Value;

use super::key_condition;
use crate::model::{Project, Table};

/// One permission that a request needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The action, such as `dynamodb:GetItem`.
    pub action: String,
    /// The ARN of a table or of an index.
    pub resource: String,
    /// The partition key values in the request, which IAM compares with `dynamodb:LeadingKeys`.
    pub leading_keys: Vec<String>,
}

/// The keys, indexes and ARNs of the template's tables, which are needed to interpret requests.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    tables: HashMap<String, TableSchema>,
    /// `arn:aws:dynamodb:<region>:<account>:`.
    arn_prefix: String,
}

#[derive(Debug, Clone)]
struct TableSchema {
    arn: String,
    /// Its key attributes, the partition key first.
    keys: Vec<String>,
    indexes: HashMap<String, Index>,
}

/// An index of a table.
#[derive(Debug, Clone)]
pub struct Index {
    /// Its key attributes, the partition key first.
    pub keys: Vec<String>,
    /// For a global index that doesn't carry all attributes: those that it carries, apart from its
    /// own and the table's keys. DynamoDB reads what a local index lacks from the table.
    pub carried: Option<Vec<String>>,
}

/// The key attributes of a table, and its indexes.
pub struct Keys<'s> {
    /// The key attributes of the table, the partition key first.
    pub table: &'s [String],
    /// The indexes of the table.
    pub indexes: &'s HashMap<String, Index>,
}

impl<'s> Keys<'s> {
    /// Returns the key attributes of an index, the partition key first.
    pub fn index(&self, name: &str) -> Option<&'s [String]> {
        self.indexes.get(name).map(|index| index.keys.as_slice())
    }
}

/// The request is PartiQL. Its tables and keys are inside the statement's text, which isn't parsed.
#[derive(Debug)]
pub struct Unsupported;

impl Schema {
    /// Returns the schema of a project's tables.
    pub fn new(project: &Project) -> Self {
        let arns =
            project.functions.iter().map(|f| &f.arn).chain(project.tables.iter().map(|t| &t.arn));
        let arn_prefix = arns.last().map_or_else(
            || "arn:aws:dynamodb:us-east-1:000000000000:".to_owned(),
            |arn| {
                let part = |i| arn.split(':').nth(i).unwrap_or_default();
                format!("arn:{}:dynamodb:{}:{}:", part(1), part(3), part(4))
            },
        );
        let tables = project.tables.iter().map(|t| (t.name.clone(), TableSchema::new(t))).collect();
        Self { tables, arn_prefix }
    }

    /// Returns every permission that `operation` needs with this body.
    ///
    /// # Errors
    /// When the operation is PartiQL.
    pub fn accesses(&self, operation: &str, body: &Value) -> Result<Vec<Access>, Unsupported> {
        let action = format!("dynamodb:{operation}");
        let table = text(body, "TableName");
        Ok(match operation {
            "GetItem" | "DeleteItem" | "UpdateItem" => vec![self.item(action, table, &body["Key"])],
            "PutItem" => vec![self.item(action, table, &body["Item"])],
            "Query" | "Scan" => vec![self.query_or_scan(action, table, body)],
            "BatchGetItem" => self.batch(&action, body, |request| {
                request["Keys"].as_array().into_iter().flatten().collect()
            }),
            "BatchWriteItem" => self.batch(&action, body, |requests| {
                let requests = requests.as_array().into_iter().flatten();
                requests
                    .flat_map(|r| [r.pointer("/PutRequest/Item"), r.pointer("/DeleteRequest/Key")])
                    .flatten()
                    .collect()
            }),
            // A transaction has no action of its own. Each item in it needs the action of its kind.
            "TransactGetItems" | "TransactWriteItems" => {
                let items = body["TransactItems"].as_array().into_iter().flatten();
                items
                    .filter_map(Value::as_object)
                    .flatten()
                    .map(|(kind, part)| self.transact_item(kind, part))
                    .collect()
            }
            "ExecuteStatement" | "BatchExecuteStatement" | "ExecuteTransaction" => {
                return Err(Unsupported);
            }
            "ListTables" => vec![Access { action, resource: "*".into(), leading_keys: Vec::new() }],
            _ => {
                let resource = match text(body, "StreamArn") {
                    "" => self.table_arn(table),
                    stream => stream.to_owned(),
                };
                vec![Access { action, resource, leading_keys: Vec::new() }]
            }
        })
    }

    /// Returns the access to one item, given its key or the whole item.
    fn item(&self, action: String, table: &str, item: &Value) -> Access {
        let leading_keys = self.leading_key(table, item).into_iter().collect();
        Access { action, resource: self.table_arn(table), leading_keys }
    }

    fn transact_item(&self, kind: &str, part: &Value) -> Access {
        let (action, item) = match kind {
            "Get" => ("dynamodb:GetItem", "Key"),
            "Put" => ("dynamodb:PutItem", "Item"),
            "Update" => ("dynamodb:UpdateItem", "Key"),
            "Delete" => ("dynamodb:DeleteItem", "Key"),
            // DynamoDB itself rejects unknown kinds.
            _ => ("dynamodb:ConditionCheckItem", "Key"),
        };
        self.item(action.to_owned(), text(part, "TableName"), &part[item])
    }

    /// Returns the accesses of a batch: the batch action itself, on each of its tables.
    fn batch<'v>(
        &self,
        action: &str,
        body: &'v Value,
        items: impl Fn(&'v Value) -> Vec<&'v Value>,
    ) -> Vec<Access> {
        let tables = body["RequestItems"].as_object().into_iter().flatten();
        let access = |(table, request): (&String, &'v Value)| Access {
            action: action.to_owned(),
            resource: self.table_arn(table),
            leading_keys: items(request)
                .into_iter()
                .filter_map(|item| self.leading_key(table, item))
                .collect(),
        };
        tables.map(access).collect()
    }

    /// Returns the access of a Query or Scan. If it names an index, it needs access to the index
    /// only, not to the table.
    fn query_or_scan(&self, action: String, table: &str, body: &Value) -> Access {
        let schema = self.tables.get(self.table_name(table));
        let (resource, partition_key) = match text(body, "IndexName") {
            "" => (self.table_arn(table), schema.and_then(|s| s.keys.first())),
            index => (
                format!("{}/index/{index}", self.table_arn(table)),
                schema.and_then(|s| s.indexes.get(index)?.keys.first()),
            ),
        };
        let leading_keys = partition_key
            .and_then(|key| key_condition::partition_key_value(body, key))
            .and_then(scalar)
            .into_iter()
            .collect();
        Access { action, resource, leading_keys }
    }

    fn leading_key(&self, table: &str, item: &Value) -> Option<String> {
        let schema = self.tables.get(self.table_name(table))?;
        scalar(item.get(schema.keys.first()?)?)
    }

    /// Returns the key attributes of one of the project's tables, given its name or ARN.
    pub fn keys(&self, table: &str) -> Option<Keys<'_>> {
        let schema = self.tables.get(self.table_name(table))?;
        Some(Keys { table: &schema.keys, indexes: &schema.indexes })
    }

    /// Returns the table name, given a `TableName` parameter, which can be a name or an ARN.
    fn table_name<'t>(&self, table: &'t str) -> &'t str {
        match table.strip_prefix("arn:") {
            Some(arn) => arn.split_once("table/").map_or(table, |(_, name)| name),
            None => table,
        }
    }

    fn table_arn(&self, table: &str) -> String {
        let name = self.table_name(table);
        self.tables
            .get(name)
            .map_or_else(|| format!("{}table/{name}", self.arn_prefix), |s| s.arn.clone())
    }

    /// Returns the names of the tables in a request, sorted and without duplicates.
    pub fn tables<'v>(&self, operation: &str, body: &'v Value) -> Vec<&'v str> {
        let mut tables: Vec<&str> = match operation {
            "BatchGetItem" | "BatchWriteItem" => body["RequestItems"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, _)| name.as_str())
                .collect(),
            "TransactGetItems" | "TransactWriteItems" => {
                let items = body["TransactItems"].as_array().into_iter().flatten();
                items
                    .filter_map(Value::as_object)
                    .flatten()
                    .map(|(_, part)| text(part, "TableName"))
                    .collect()
            }
            _ => vec![text(body, "TableName")],
        };
        for table in &mut tables {
            *table = self.table_name(table);
        }
        tables.sort_unstable();
        tables.dedup();
        tables
    }
}

impl TableSchema {
    fn new(table: &Table) -> Self {
        let keys = |table_or_index: &Value| -> Vec<String> {
            let keys = table_or_index["KeySchema"].as_array().into_iter().flatten();
            let mut keys: Vec<&Value> = keys.collect();
            keys.sort_by_key(|key| key["KeyType"] != "HASH");
            keys.into_iter().map(|key| text(key, "AttributeName").to_owned()).collect()
        };
        let carried = |index: &Value| {
            let projection = &index["Projection"];
            let names = || projection["NonKeyAttributes"].as_array().into_iter().flatten();
            (projection["ProjectionType"] != "ALL")
                .then(|| names().filter_map(Value::as_str).map(str::to_owned).collect())
        };
        let indexes = ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"]
            .into_iter()
            .flat_map(|kind| {
                let indexes = table.properties[kind].as_array().into_iter().flatten();
                indexes.map(move |index| (kind, index))
            })
            .map(|(kind, index)| {
                let carried = (kind == "GlobalSecondaryIndexes").then(|| carried(index)).flatten();
                (text(index, "IndexName").to_owned(), Index { keys: keys(index), carried })
            })
            .collect();
        Self { arn: table.arn.clone(), keys: keys(&table.properties), indexes }
    }
}

/// Whether an operation changes items.
pub fn writes(operation: &str) -> bool {
    matches!(
        operation,
        "PutItem" | "UpdateItem" | "DeleteItem" | "BatchWriteItem" | "TransactWriteItems"
    )
}

/// Whether an operation may write to tables that its body does not name.
pub fn is_partiql(operation: &str) -> bool {
    matches!(operation, "ExecuteStatement" | "BatchExecuteStatement" | "ExecuteTransaction")
}

/// Whether an operation can report its consumed capacity.
pub fn reports_capacity(operation: &str) -> bool {
    writes(operation)
        || matches!(operation, "GetItem" | "Query" | "Scan" | "BatchGetItem" | "TransactGetItems")
}

fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the value of a key attribute (`{"S": "..."}`, `N` or `B`) as the text that IAM compares.
fn scalar(attribute: &Value) -> Option<String> {
    attribute.as_object()?.values().next()?.as_str().map(str::to_owned)
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
