//! Empty: the tests are in `it/`.
