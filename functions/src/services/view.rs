//! The API's representation of a service.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use shared::domain::ids::ServiceId;
use shared::domain::money::Price;
use shared::domain::schema::DateTime;
use shared::domain::service::{Service, ServiceStatus};
use shared::domain::text::{Category, Description, Name};

/// A service of the catalogue.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Service")]
pub struct ServiceView<'a> {
    id: &'a ServiceId,
    name: &'a Name,
    description: &'a Description,
    category: &'a Category,
    price: Price,
    status: ServiceStatus,
    #[schemars(with = "DateTime")]
    created_at: Timestamp,
    #[schemars(with = "DateTime")]
    updated_at: Timestamp,
}

impl<'a> From<&'a Service> for ServiceView<'a> {
    fn from(service: &'a Service) -> Self {
        Self {
            id: &service.id,
            name: &service.name,
            description: &service.description,
            category: &service.category,
            price: service.price,
            status: service.status,
            created_at: service.created_at,
            updated_at: service.updated_at,
        }
    }
}
