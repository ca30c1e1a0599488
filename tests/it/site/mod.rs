//! What is served beside the areas.

mod fallback;
mod health;
mod index;
