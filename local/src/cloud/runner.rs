//! What runs the functions: this cloud, or another program.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;

use super::lambda_watch;
use super::plan::Plan;
use crate::environment::{self, Services};
use crate::functions::remote::RemoteFunctions;
use crate::functions::{Functions, Launch, Settings};
use crate::iam;
use crate::invoke::Invoke;
use crate::log::Log;

/// The program that runs the functions.
#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "there is one in a run")]
pub(super) enum Runner {
    /// This cloud.
    Own(Functions),
    /// Another program with an Invoke API.
    Remote(RemoteFunctions),
}

impl Runner {
    /// Returns the way to invoke the functions.
    pub(super) fn as_invoke(&self) -> Arc<dyn Invoke> {
        match self {
            Self::Own(functions) => Arc::new(functions.clone()),
            Self::Remote(remote) => Arc::new(remote.clone()),
        }
    }

    /// Kills the functions' processes, unless another program runs them.
    pub(super) async fn stop(&self) {
        if let Self::Own(functions) = self {
            functions.stop().await;
        }
    }
}

impl Plan {
    /// Returns the runner of the functions, and waits for it with `--functions`.
    ///
    /// # Errors
    /// When a binary has not been built, or the environment can't be given to `cargo lambda watch`.
    pub(super) async fn runner(
        &self,
        environments: BTreeMap<String, BTreeMap<String, String>>,
        services: &Services,
        log: &Log,
    ) -> Result<Runner> {
        if let Some(url) = &self.cli.functions {
            let shared = environment::aws("LOCAL".to_owned(), services);
            lambda_watch::write_environment(&self.root, &environments, shared)?;
            let remote = RemoteFunctions::new(url)?;
            lambda_watch::wait_for(url, log).await?;
            return Ok(Runner::Remote(remote));
        }
        let mut launches = Vec::new();
        let programs = self.programs()?;
        for (function, program) in self.project.functions.iter().zip(programs) {
            let mut env = environments.get(&function.name).cloned().unwrap_or_default();
            env.extend(environment::lambda(function, iam::access_key_id(&function.name), services));
            let root = program.parent().map(|p| p.display().to_string()).unwrap_or_default();
            env.insert("LAMBDA_TASK_ROOT".into(), root);
            launches.push((function.clone(), Launch { program, args: Vec::new(), env }));
        }
        Ok(Runner::Own(Functions::new(launches, Settings::default(), log.clone())))
    }
}
