//! A secret that is kept in the process.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::client::{Client, ReadError, SecretText};
use crate::config::{ConfigError, required};

/// The shortest time between two reads after INIT. Anyone can send a bad signature or cursor, so
/// without a limit strangers could cause a request to Secrets Manager each time.
pub(super) const PAUSE: Duration = Duration::from_secs(60);

/// What a secret's text is turned into.
pub trait FromSecret: Sized + Send + Sync + 'static {
    /// The environment variable that names the secret, by its ARN.
    const VARIABLE: &'static str;
    /// Whether values of the secret's previous version are accepted after a roll.
    const ACCEPTS_PREVIOUS: bool = false;

    /// Parses the secret.
    ///
    /// # Errors
    /// What is wrong with the secret, without quoting it.
    fn parse(text: &SecretText) -> Result<Self, String>;
}

/// A secret that is read in INIT, kept in the process, and read again when its user asks for it.
pub struct CachedSecret<T> {
    /// `None` for values that a test gives.
    client: Option<Client>,
    state: Mutex<State<T>>,
}

pub(super) struct State<T> {
    /// `None` until the secret was read.
    value: Option<Arc<T>>,
    /// When the last attempt to read it again began, whether it succeeded or not.
    pub(super) read_again: Option<Instant>,
    /// When it was last read.
    pub(super) read: Instant,
}

impl<T: FromSecret> CachedSecret<T> {
    /// Names the secret; [`CachedSecret::load`] reads it.
    ///
    /// # Errors
    /// When a variable is missing.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self::of(Client::from_env(required(T::VARIABLE)?)?))
    }

    pub(super) fn of(client: Client) -> Self {
        let state = State { value: None, read_again: None, read: Instant::now() };
        Self { client: Some(client), state: Mutex::new(state) }
    }

    /// Creates a secret with this value, which is never read again.
    #[cfg(test)]
    pub(crate) fn fixed(value: T) -> Self {
        let state = State { value: Some(Arc::new(value)), read_again: None, read: Instant::now() };
        Self { client: None, state: Mutex::new(state) }
    }

    /// Reads the secret, while the sandbox initializes.
    ///
    /// # Errors
    /// Names the secret and what is wrong, but no value: it can't be read, or not be parsed.
    pub async fn load(&self) -> Result<(), ConfigError> {
        let Some(client) = &self.client else { return Ok(()) };
        let value = fetch(client, false).await?;
        self.state().value = Some(Arc::new(value));
        Ok(())
    }

    /// Returns the value that was last read.
    ///
    /// # Panics
    /// Before [`CachedSecret::load`] has succeeded.
    pub fn current(&self) -> Arc<T> {
        self.state().value.clone().expect("a context is used after its secrets were loaded")
    }

    /// Reads the secret again, because the current value did not match what someone presented, and
    /// returns the new value. Returns `None` if the secret was read less than a minute ago, or
    /// can't be read.
    pub async fn read_again(&self) -> Option<Arc<T>> {
        let client = self.client.as_ref()?;
        {
            let mut state = self.state();
            if state.read_again.is_some_and(|last| last.elapsed() < PAUSE) {
                return None;
            }
            state.read_again = Some(Instant::now());
        }
        match fetch::<T>(client, T::ACCEPTS_PREVIOUS).await {
            Ok(value) => {
                let value: Arc<T> = Arc::new(value);
                let mut state = self.state();
                state.value = Some(value.clone());
                state.read = Instant::now();
                Some(value)
            }
            Err(error) => {
                tracing::error!(%error, "a secret can't be read again; its last value stays in use");
                None
            }
        }
    }

    /// Returns the current value, read again if it is older than a minute. This is for secrets
    /// whose values nobody refuses, such as a key that signs.
    pub async fn recent(&self) -> Arc<T> {
        let is_old = self.state().read.elapsed() >= PAUSE;
        let newer = if is_old { self.read_again().await } else { None };
        newer.unwrap_or_else(|| self.current())
    }

    pub(super) fn state(&self) -> std::sync::MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn fetch<T: FromSecret>(client: &Client, with_previous: bool) -> Result<T, ConfigError> {
    let secret = &client.secret;
    let failed = |error| match error {
        ReadError::NotFound => ConfigError::of_secret(
            secret,
            "does not exist or has no value: give it one with `aws secretsmanager \
             put-secret-value` (docs/operations.md)",
        ),
        ReadError::Other { problem, .. } => ConfigError::of_secret(secret, problem),
    };
    let previous = async {
        match with_previous {
            true => client.read("AWSPREVIOUS").await.map(Some),
            false => Ok(None),
        }
    };
    let (current, previous) = futures::join!(client.read("AWSCURRENT"), previous);
    let previous = match previous {
        // It was never rolled.
        Err(ReadError::NotFound) => None,
        read => read.map_err(failed)?,
    };
    let text = SecretText { current: current.map_err(failed)?, previous };
    T::parse(&text).map_err(|problem| ConfigError::of_secret(secret, problem))
}
