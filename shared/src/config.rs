//! Configuration. It comes only from environment variables, which `template.yaml` sets for each
//! function.
//!
//! Each part of the system reads its own variables where it is built (`Store::from_env`,
//! `Verifier::from_env`, ...), with the functions of this module. If a variable is missing or
//! invalid, the function fails during initialization, and the error names the variable.

use std::fmt;
use std::str::FromStr;

/// Why a function can't start: an environment variable or a secret is missing or invalid, or, in
/// rare cases, something else can't be set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    /// Creates the error of an environment variable. It names the variable and the problem, but
    /// never the value.
    pub fn new(variable: &str, problem: impl fmt::Display) -> Self {
        Self(format!("environment variable {variable}: {problem}"))
    }

    /// Creates the error of a secret. It names the secret and the problem, but never the value.
    pub fn of_secret(secret: &str, problem: impl fmt::Display) -> Self {
        Self(format!("the secret {secret} {problem}"))
    }

    /// Creates the error for something else that can't be set up.
    pub(crate) fn setup(problem: impl fmt::Display) -> Self {
        Self(problem.to_string())
    }
}

/// Returns the variable's value.
///
/// # Errors
///
/// Fails if the variable is not set or empty.
pub fn required(variable: &str) -> Result<String, ConfigError> {
    optional(variable).ok_or_else(|| {
        ConfigError::new(
            variable,
            "is not set; template.yaml sets it for each function that needs it",
        )
    })
}

/// Returns the variable's value, or `None` if it is missing or empty.
pub fn optional(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|v| !v.is_empty())
}

/// Returns the variable's parsed value, or `default` if it is missing or empty.
///
/// # Errors
///
/// Fails if the value cannot be parsed.
pub fn parsed<T: FromStr>(variable: &str, default: T) -> Result<T, ConfigError>
where
    T::Err: fmt::Display,
{
    optional(variable)
        .map_or(Ok(default), |v| v.parse().map_err(|e: T::Err| ConfigError::new(variable, e)))
}

/// A string that must not be shown. It implements neither `Debug` nor `Display` nor `Serialize`.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// Returns the secret. Review every call, because the result can be logged by accident.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The stage that this code runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// A developer's machine or a test.
    Local,
    /// A shared deployment without real customers.
    Dev,
    /// A copy of production for final tests.
    Staging,
    /// The deployment with real customers.
    Production,
}

impl Stage {
    /// Reads `STAGE`.
    ///
    /// # Errors
    ///
    /// Fails if the variable is not set or names an unknown stage.
    pub fn from_env() -> Result<Self, ConfigError> {
        match required("STAGE")?.as_str() {
            "local" => Ok(Self::Local),
            "dev" => Ok(Self::Dev),
            "staging" => Ok(Self::Staging),
            "production" => Ok(Self::Production),
            other => Err(ConfigError::new(
                "STAGE",
                format!("must be local, dev, staging or production, not `{other}`"),
            )),
        }
    }
}
