//! What others call when something happened there.

pub mod stripe;
