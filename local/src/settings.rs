//! `[workspace.metadata.local]` of the root `Cargo.toml`: settings that the template does not have.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The settings of a project. Every key is optional, and so is the whole table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Settings {
    /// A binary that contains every function and runs the one with the name it is started under.
    /// Building and linking it is faster than doing so for dozens of binaries.
    pub(crate) multicall: Option<String>,
    /// A function that is invoked after the start to insert sample data.
    pub(crate) seed: Option<String>,
    /// The path of the HTTP API that receives Stripe's events. The stand-in for Stripe runs only if
    /// this is set.
    pub(crate) webhook: Option<String>,
    /// `AWS::StackName`.
    pub(crate) stack: String,
    /// Values of the template's parameters.
    pub(crate) parameters: BTreeMap<String, String>,
    /// Values of functions' variables with `--verbose`, usually their log level.
    pub(crate) verbose: BTreeMap<String, String>,
    /// Values of the template's secrets, by their names.
    pub(crate) secrets: BTreeMap<String, SecretSetting>,
    /// Lines to print when everything is ready, such as how to sign in and what to try.
    pub(crate) hints: Vec<String>,
}

/// Where the value of a secret comes from: variables in `local.env`, `.env` or `--env`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum SecretSetting {
    /// The secret is the value of this variable.
    Text(String),
    /// The secret is a JSON object, whose members are the values of these variables.
    Object(BTreeMap<String, String>),
}

impl Settings {
    /// Whether a secret gets its value from this variable.
    pub(crate) fn is_for_secret(&self, variable: &str) -> bool {
        self.secrets.values().any(|setting| match setting {
            SecretSetting::Text(name) => name == variable,
            SecretSetting::Object(members) => members.values().any(|name| name == variable),
        })
    }
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
            secrets: BTreeMap::new(),
            hints: Vec::new(),
        }
    }
}
