//! The index, the health check and unknown paths.

mod fallback;
mod health;
mod index;
