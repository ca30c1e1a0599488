//! What is served beside the areas.

mod fallback;
