//! Endpoints that belong to no area: the index, the health check and the fallback route.

pub mod fallback;
pub mod health;
pub mod index;
