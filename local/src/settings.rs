//! `[workspace.metadata.local]` of the root `Cargo.toml`: what the template does not say.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The settings of a project. Every key may be left out, and so may the whole table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Settings {
    /// A binary that is every function, by the name it is started under. One is built and linked
    /// instead of dozens.
    pub(crate) multicall: Option<String>,
    /// A function that is invoked after the start to insert sample data.
    pub(crate) seed: Option<String>,
    /// The path of the HTTP API that Stripe's events are sent to. With it, the stand-in for Stripe
    /// runs; without it, there is none.
    pub(crate) webhook: Option<String>,
    /// `AWS::StackName`.
    pub(crate) stack: String,
    /// Values of the template's parameters.
    pub(crate) parameters: BTreeMap<String, String>,
    /// Values of functions' variables under `--verbose`: their log level, usually.
    pub(crate) verbose: BTreeMap<String, String>,
    /// Lines printed when everything answers: whom to sign in as, what to try.
    pub(crate) hints: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            multicall: None,
            seed: None,
            webhook: None,
            stack: "local".to_owned(),
            parameters: BTreeMap::new(),
            verbose: BTreeMap::new(),
            hints: Vec::new(),
        }
    }
}
