//! What belongs to no area: the index, the health check, and what no route takes.

pub mod fallback;
pub mod health;
pub mod index;
