//! `local.env`, `.env` and `--env`: this machine's values, which replace those of the template.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::file;
use super::services::Services;

/// The variable whose value says whether functions use Stripe itself or its stand-in.
const STRIPE_KEY: &str = "STRIPE_SECRET_KEY";
/// The variable with the Stripe key for browsers.
const STRIPE_PUBLISHABLE_KEY: &str = "STRIPE_PUBLISHABLE_KEY";
/// References that only have a value while the stand-in for Stripe runs.
const STAND_IN_REFERENCES: [&str; 2] = ["${LOCAL_STRIPE}", "${LOCAL_WEBHOOK_SECRET}"];

/// This machine's values, by variable.
#[derive(Debug, Clone, Default)]
pub(crate) struct Overrides {
    values: BTreeMap<String, String>,
    stripe: Stripe,
}

/// Which Stripe the functions use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Stripe {
    /// The stand-in for Stripe.
    #[default]
    StandIn,
    /// Stripe itself in test mode, because the developer gave their own key.
    Real,
}

impl Overrides {
    /// Reads `local.env` in the folder `project`, if it exists, and the developer's `env_file`
    /// (`.env`), which must exist if `env_file_required` is set. `process_env` looks up a variable
    /// in the environment of the local cloud, and `flags` are the values of `--env`.
    ///
    /// # Errors
    /// When a file can't be read or is malformed, or when Stripe's key is a live key.
    pub(crate) fn read(
        project: &Path,
        env_file: &Path,
        env_file_required: bool,
        process_env: impl Fn(&str) -> Option<String>,
        flags: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self> {
        let committed = read_file(&project.join("local.env"), false)?;
        let own = read_file(env_file, env_file_required)?;
        Self::merge(committed, own, process_env, flags)
    }

    /// Merges the project's `values` with others that take precedence, each over the one before:
    /// the developer's `own` file, the environment of the local cloud (only for names in `values`),
    /// and `flags`.
    ///
    /// # Errors
    /// When Stripe's key is a live key.
    pub(super) fn merge(
        mut values: BTreeMap<String, String>,
        mut own: BTreeMap<String, String>,
        process_env: impl Fn(&str) -> Option<String>,
        flags: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self> {
        own.extend(values.keys().filter_map(|name| Some((name.clone(), process_env(name)?))));
        own.extend(flags);
        let stripe = match own.get(STRIPE_KEY) {
            Some(key) if key.starts_with("sk_live_") || key.starts_with("rk_live_") => {
                bail!("{STRIPE_KEY} is a live key: the local cloud only uses Stripe's test mode")
            }
            Some(key) if values.get(STRIPE_KEY) != Some(key) => Stripe::Real,
            _ => Stripe::StandIn,
        };
        if stripe == Stripe::Real {
            values.retain(|_, value| {
                !STAND_IN_REFERENCES.iter().any(|reference| value.contains(reference))
            });
        }
        values.extend(own);
        Ok(Self { values, stripe })
    }

    /// Returns which Stripe the functions use.
    pub(crate) fn stripe(&self) -> Stripe {
        self.stripe
    }

    /// Returns Stripe's secret and publishable keys, as far as they are overridden.
    pub(crate) fn stripe_keys(&self) -> (Option<&String>, Option<&String>) {
        (self.values.get(STRIPE_KEY), self.values.get(STRIPE_PUBLISHABLE_KEY))
    }

    /// Returns the names of the overridden variables.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Returns the value of a variable, with `${LOCAL_...}` replaced.
    ///
    /// # Errors
    /// When the value refers to a service that doesn't exist or isn't running.
    pub(super) fn value(&self, name: &str, services: &Services) -> Result<Option<String>> {
        let Some(value) = self.values.get(name) else {
            return Ok(None);
        };
        let mut value = value.clone();
        for (reference, url) in [
            ("${LOCAL_HTTP}", Some(&services.http)),
            ("${LOCAL_WS}", Some(&services.ws)),
            ("${LOCAL_CONNECTIONS}", Some(&services.connections)),
            ("${LOCAL_DYNAMODB}", Some(&services.dynamodb)),
            ("${LOCAL_STRIPE}", services.stripe.as_ref()),
            ("${LOCAL_WEBHOOK_SECRET}", services.webhook_secret.as_ref()),
        ] {
            if value.contains(reference) {
                let url = url.with_context(|| {
                    format!("{name} is set to {value}, but the stand-in for Stripe does not run")
                })?;
                value = value.replace(reference, url);
            }
        }
        ensure!(
            !value.contains("${LOCAL_"),
            "{name} is set to {value}, which is not a service of the local cloud"
        );
        Ok(Some(value))
    }
}

fn read_file(path: &Path, required: bool) -> Result<BTreeMap<String, String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => file::parse(&text).with_context(|| format!("{} is not usable", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !required => {
            Ok(BTreeMap::new())
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}
