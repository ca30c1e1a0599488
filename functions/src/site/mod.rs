//! What belongs to no area: the index and the health check.

pub mod health;
pub mod index;
