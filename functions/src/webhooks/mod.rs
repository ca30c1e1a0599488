//! What others call when something happened there.

pub mod events;
pub mod stripe;
