//! Services. Only active ones are in the indexes, so that a list never has to leave one out.

use serde::{Deserialize, Serialize};

use super::row::{Entity, Key};
use super::{CursorKey, Index, Listed, Outcome, PageRequest, Query, Standing, Store, keys};
use crate::domain::ids::{ServiceId, UserId};
use crate::domain::order::Idempotency;
use crate::domain::service::{Service, ServiceStatus};
use crate::domain::text::CategoryKey;
use crate::error::Result;

/// A service as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredService {
    /// What may be shown.
    #[serde(flatten)]
    pub service: Service,
    /// The request that made it, if that had a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Idempotency>,
}

impl Entity for StoredService {
    const ENTITY: &'static str = "service";

    fn key(&self) -> Key {
        keys::service(&self.service.id)
    }

    fn indexes(&self) -> Vec<(Index, Key)> {
        let service = &self.service;
        match service.status {
            ServiceStatus::Active => vec![
                (Index::Gsi1, keys::index::services(service.created_at, &service.id)),
                (Index::Gsi2, keys::index::services_in(&service.category.key(), service.created_at, &service.id)),
            ],
            ServiceStatus::Deactivated => Vec::new(),
        }
    }

    fn version(&self) -> u64 {
        self.service.version
    }
}

impl Store {
    /// A service, active or not.
    pub async fn service(&self, id: &ServiceId) -> Result<Option<StoredService>> {
        self.get(keys::service(id)).await
    }

    /// How a caller stands, and a service, in one read.
    pub async fn standing_and_service(
        &self,
        user: &UserId,
        session: &str,
        id: &ServiceId,
    ) -> Result<(Standing, Option<StoredService>)> {
        self.standing_and(user, session, keys::service(id)).await
    }

    /// Stores a new service; the conflict is one that has its id already.
    pub async fn create_service(&self, service: &StoredService) -> Result<Outcome<StoredService>> {
        self.create(service).await
    }

    /// Active services, newest first, of one category if one is given.
    pub async fn services(
        &self,
        category: Option<&CategoryKey>,
        page: &PageRequest,
        cursors: &CursorKey,
    ) -> Result<Listed<StoredService>> {
        let (index, partition) = match category {
            None => (Index::Gsi1, keys::index::all_services()),
            Some(category) => (Index::Gsi2, keys::index::services_of(category)),
        };
        self.list(Query::newest(index, partition), page, cursors).await
    }
}
