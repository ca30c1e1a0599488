//! How many active services each category has: counters that change in the transaction of what they
//! count.

use aws_sdk_dynamodb::types::{AttributeValue, Update};
use serde::{Deserialize, Serialize};

use super::row::{Entity, Key};
use super::transaction::{n, s};
use super::{Query, Store, keys};
use crate::domain::service::Service;
use crate::domain::text::Category;
use crate::error::{Error, Result};

/// A category with active services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryCount {
    /// As it was last written.
    pub category: Category,
    /// How many active services it has.
    pub count: u64,
}

impl Entity for CategoryCount {
    const ENTITY: &'static str = "category";
    // Beside `doc`: DynamoDB adds to attributes of the item itself only.
    const HEAVY: &'static [&'static str] = &["count"];

    fn key(&self) -> Key {
        keys::category(&self.category.key())
    }
}

/// A change of one counter.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// One more, and written like this from now on.
    Add(Category),
    /// As many, but written like this.
    Rename(Category),
    /// One fewer.
    Remove(Category),
}

impl Count {
    /// What a service's change means for the counters: those of the category it leaves and of the
    /// one it comes to.
    pub(super) fn changes(from: Option<&Service>, to: &Service) -> Vec<Self> {
        let from = from.filter(|service| service.is_active()).map(|service| &service.category);
        let to = Some(&to.category).filter(|_| to.is_active());
        match (from, to) {
            (Some(from), Some(to)) if from == to => Vec::new(),
            (Some(from), Some(to)) if from.key() == to.key() => vec![Self::Rename(to.clone())],
            (from, to) => from
                .cloned()
                .map(Self::Remove)
                .into_iter()
                .chain(to.cloned().map(Self::Add))
                .collect(),
        }
    }

    /// The update of the counter's item; a counter never falls below zero.
    pub(super) fn update(self, table: &str) -> Result<Update> {
        let (category, change) = match &self {
            Self::Add(category) => (category, 1),
            Self::Rename(category) => (category, 0),
            Self::Remove(category) => (category, -1),
        };
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(keys::category(&category.key()).into_item()))
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":change", n(change))
            .expression_attribute_values(":one", n(1));
        let update = match &self {
            Self::Remove(_) => {
                update.update_expression("ADD #count :change, version :one").condition_expression("#count >= :one")
            }
            Self::Add(_) | Self::Rename(_) => update
                .update_expression("SET entity = :entity, #schema = :one, doc = :doc ADD #count :change, version :one")
                .expression_attribute_names("#schema", "schema")
                .expression_attribute_values(":entity", s(CategoryCount::ENTITY))
                .expression_attribute_values(
                    ":doc",
                    AttributeValue::M([("category".to_owned(), s(category.as_str()))].into()),
                ),
        };
        update.build().map_err(Error::internal)
    }
}

impl Store {
    /// The categories that have active services, by name. As many as administrators made: all of
    /// them are one answer.
    pub async fn categories(&self) -> Result<Vec<CategoryCount>> {
        let mut query = Query { limit: 1000, ..Query::table(keys::categories()) };
        let mut found: Vec<CategoryCount> = Vec::new();
        loop {
            let page = self.query(&query).await?;
            found.extend(page.items);
            query.start = page.next;
            if query.start.is_none() {
                found.retain(|category| category.count > 0);
                return Ok(found);
            }
        }
    }
}
