//! Services. Active and deactivated ones have partitions of their own in every index, so that a
//! list never has to leave one out for that.

use serde::{Deserialize, Serialize};

use super::category::Count;
use super::query::SortKeys;
use super::row::{Entity, Key};
use super::transaction::{Committed, Transaction};
use super::{
    AuthState, CursorKey, Filter, Index, Listed, PageRequest, Query, Store, WriteOutcome, keys,
};
use crate::domain::ids::{ServiceId, UserId};
use crate::domain::money::{Currency, Price};
use crate::domain::order::Idempotency;
use crate::domain::search::{Search, searchable};
use crate::domain::service::{Service, ServiceSort, ServiceStatus};
use crate::domain::text::CategoryKey;
use crate::error::{Error, Result};

/// A service as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredService {
    /// What may be shown.
    #[serde(flatten)]
    pub service: Service,
    /// Its name and description, as searches see them.
    #[serde(default)]
    words: String,
    /// The request that made it, if that had a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Idempotency>,
}

impl StoredService {
    /// A service to be stored.
    pub fn new(service: Service, created_by: Option<Idempotency>) -> Self {
        let words = searchable(&[service.name.as_str(), service.description.as_str()]);
        Self { service, words, created_by }
    }
}

impl Entity for StoredService {
    const ENTITY: &'static str = "service";

    fn key(&self) -> Key {
        keys::service(&self.service.id)
    }

    fn indexes(&self) -> Vec<(Index, Key)> {
        let Service { id, status, price, created_at, .. } = &self.service;
        let category = self.service.category.key();
        vec![
            (Index::Gsi1, keys::index::services(*status, *created_at, id)),
            (Index::Gsi2, keys::index::services_in(*status, &category, *created_at, id)),
            (Index::Gsi3, keys::index::priced(*status, *price, *created_at, id)),
            (Index::Gsi4, keys::index::priced_of(*status, *price, &category, *created_at, id)),
        ]
    }

    fn version(&self) -> u64 {
        self.service.version
    }
}

/// Which services are listed.
#[derive(Debug, Clone)]
pub struct ServicesOf {
    /// In this state.
    pub status: ServiceStatus,
    /// Of this category only.
    pub category: Option<CategoryKey>,
    /// With all of these words only.
    pub search: Search,
    /// Priced in this currency and between these amounts, both included, only. An order by price
    /// needs it.
    pub price: Option<(Currency, i64, i64)>,
}

impl ServicesOf {
    /// An index by time narrows by category, an index by price by currency, amount and category;
    /// the rest is filtered.
    fn query(&self, sort: ServiceSort) -> Result<Query> {
        let Self { status, category, search, price } = self;
        let mut filters: Vec<_> =
            search.terms().map(|needle| Filter::Contains("words", needle.to_owned())).collect();
        if sort == ServiceSort::Newest {
            if let Some((currency, min, max)) = *price {
                filters.push(Filter::Is("price.currency", currency.code().to_owned()));
                if (min, max) != (0, Price::MAX) {
                    filters.push(Filter::Within("price.amount", min, max));
                }
            }
            let (index, partition) = match category {
                None => (Index::Gsi1, keys::index::services_of(*status)),
                Some(category) => {
                    (Index::Gsi2, keys::index::services_of_category(*status, category))
                }
            };
            return Ok(Query { filters, ..Query::newest(index, partition) });
        }
        let (currency, min, max) =
            price.ok_or_else(|| Error::internal("an order by price without a currency"))?;
        let (index, partition) = match category {
            None => (Index::Gsi3, keys::index::priced_in(*status, currency)),
            Some(category) => {
                (Index::Gsi4, keys::index::priced_in_category(*status, currency, category))
            }
        };
        let (low, high) = keys::index::prices(min, max);
        let range = Some(SortKeys::Between(low, high));
        let forward = sort == ServiceSort::Cheapest;
        Ok(Query { range, filters, forward, ..Query::oldest(index, partition) })
    }
}

impl Store {
    /// A service, active or not.
    pub async fn service(&self, id: &ServiceId) -> Result<Option<StoredService>> {
        self.get(keys::service(id)).await
    }

    /// How a caller stands, and a service, in one read.
    pub async fn auth_state_and_service(
        &self,
        user: &UserId,
        session: &str,
        id: &ServiceId,
    ) -> Result<(AuthState, Option<StoredService>)> {
        self.standing_and(user, session, keys::service(id)).await
    }

    /// Stores a new service, and counts it for its category; the conflict is one that has its id
    /// already.
    pub async fn create_service(
        &self,
        service: &StoredService,
    ) -> Result<WriteOutcome<StoredService>> {
        let transaction = Transaction::default().create(self, service)?;
        self.write_service(transaction, service, Count::changes(None, &service.service)).await
    }

    /// Stores a service's next version, and counts it for its category or no more; the conflict is
    /// the service as someone faster left it.
    pub async fn update_service(
        &self,
        next: &StoredService,
        from: &StoredService,
    ) -> Result<WriteOutcome<StoredService>> {
        let version = from.service.version;
        let counts = Count::changes(Some(&from.service), &next.service);
        if counts.is_empty() {
            return self.replace(next, version).await;
        }
        self.write_service(Transaction::default().replace(self, next, version)?, next, counts).await
    }

    async fn write_service(
        &self,
        mut transaction: Transaction,
        service: &StoredService,
        counts: Vec<Count>,
    ) -> Result<WriteOutcome<StoredService>> {
        for count in counts {
            transaction = transaction.update(count.update(&self.table)?);
        }
        match transaction.commit(&self.client).await? {
            Committed::Yes => Ok(WriteOutcome::Written),
            Committed::No(failed) if failed.contains(&0) => {
                Ok(WriteOutcome::Conflict(self.service(&service.service.id).await?))
            }
            Committed::No(_) => {
                Err(Error::internal("a category counts fewer services than it has"))
            }
        }
    }

    /// One page of services. An order by price needs a currency.
    pub async fn services(
        &self,
        of: &ServicesOf,
        sort: ServiceSort,
        page: &PageRequest,
        cursors: &CursorKey,
    ) -> Result<Listed<StoredService>> {
        self.list(of.query(sort)?, page, cursors).await
    }
}
