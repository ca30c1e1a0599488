//! Configuration comes from the environment that `template.yaml` gives each function, and from
//! nowhere else.
//!
//! Each concern reads its own variables where it is built (`Store::from_env`, `Verifier::from_env`,
//! ...) through the helpers here. A variable that is missing or wrong ends the function in INIT
//! with its name.

use std::fmt;
use std::str::FromStr;

/// A variable is missing or can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    /// Names the variable and what is wrong with it; never its value, which may be a secret.
    pub fn new(variable: &str, problem: impl fmt::Display) -> Self {
        Self(format!("environment variable {variable}: {problem}"))
    }
}

/// The variable's value; empty counts as missing.
pub fn required(variable: &str) -> Result<String, ConfigError> {
    optional(variable).ok_or_else(|| {
        ConfigError::new(
            variable,
            "is not set; template.yaml gives it to each function that needs it",
        )
    })
}

/// The variable's value, if it is set and not empty.
pub fn optional(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|v| !v.is_empty())
}

/// The variable parsed, or `default` when it is not set.
pub fn parsed<T: FromStr>(variable: &str, default: T) -> Result<T, ConfigError>
where
    T::Err: fmt::Display,
{
    optional(variable)
        .map_or(Ok(default), |v| v.parse().map_err(|e: T::Err| ConfigError::new(variable, e)))
}

/// A string that must not be seen: it has neither `Debug` nor `Display` nor `Serialize`.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The secret itself. Every call is a place to look at in a review.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A secret from the environment.
pub fn secret(variable: &str) -> Result<Secret, ConfigError> {
    required(variable).map(Secret)
}

/// Where this code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// A laptop, or a test.
    Local,
    /// A shared stack without real customers.
    Dev,
    /// A rehearsal of production.
    Staging,
    /// The real thing.
    Production,
}

impl Stage {
    /// From `STAGE`.
    pub fn from_env() -> Result<Self, ConfigError> {
        match required("STAGE")?.as_str() {
            "local" => Ok(Self::Local),
            "dev" => Ok(Self::Dev),
            "staging" => Ok(Self::Staging),
            "production" => Ok(Self::Production),
            other => Err(ConfigError::new(
                "STAGE",
                format!("`{other}` is none of local, dev, staging, production"),
            )),
        }
    }
}
