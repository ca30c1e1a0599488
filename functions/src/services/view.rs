//! A service as the API shows it.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::money::Price;
use shared::domain::service::{Service, ServiceStatus};

/// `{id, name, description, category, price, status, created_at, updated_at}`.
#[derive(Debug, Serialize)]
pub struct ServiceView<'a> {
    id: &'a str,
    name: &'a str,
    description: &'a str,
    category: &'a str,
    price: Price,
    status: ServiceStatus,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> From<&'a Service> for ServiceView<'a> {
    fn from(service: &'a Service) -> Self {
        Self {
            id: service.id.as_str(),
            name: service.name.as_str(),
            description: service.description.as_str(),
            category: service.category.as_str(),
            price: service.price,
            status: service.status,
            created_at: service.created_at,
            updated_at: service.updated_at,
        }
    }
}
