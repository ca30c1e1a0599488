//! Everything that is read and checked before anything starts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use tokio::net::TcpListener;

use super::ports::Ports;
use super::programs::Programs;
use super::reload::Reload;
use super::summary::Summary;
use crate::cargo::{Progress, Workspace};
use crate::cli::Cli;
use crate::data_dir::DataDir;
use crate::dynamodb::{DynamoDb, Storage};
use crate::environment::{self, Aws, Overrides, Services, Stripe};
use crate::log::Log;
use crate::model::{Function, Project};
use crate::secrets::SecretStore;
use crate::settings::Settings;
use crate::template::{self, Deployment};
use crate::websocket::Quotas;

/// The secret that the stand-in for Stripe signs with. It is the same in every run, so that
/// functions that run elsewhere need not be restarted.
pub(super) const WEBHOOK_SECRET: &str = "whsec_bG9jYWwtc3RyaXBlLXN0YW5kLWlu";

/// Everything that a run needs.
pub(super) struct Plan {
    pub(super) cli: Cli,
    pub(super) settings: Settings,
    /// The folder of the Cargo workspace, or of the template if there is no workspace.
    pub(super) root: PathBuf,
    /// The functions' programs, or `None` with `--functions`, where another program runs them.
    programs: Option<Programs>,
    pub(super) project: Arc<Project>,
    pub(super) overrides: Overrides,
    pub(super) data_dir: DataDir,
    /// The ports, until the start gives each to its server.
    pub(super) ports: Option<Ports>,
    /// Rebuilds functions when their code changes. `None` if nothing is watched, and once the start
    /// has taken it.
    pub(super) reload: Option<Reload>,
}

impl Plan {
    /// Reads the project, takes the data directory and the ports, and builds the functions. Steps
    /// that fail quickly come first.
    ///
    /// # Errors
    /// When one of these steps fails; the message names the file, flag or port.
    pub(super) async fn prepare(mut cli: Cli, log: &Log) -> Result<Self> {
        let template = std::path::absolute(&cli.template)?;
        let directory = template.parent().unwrap_or(Path::new("/")).to_owned();
        ensure!(template.is_file(), "there is no template {}", cli.template.display());
        let workspace = Workspace::find(&directory).await?;
        let settings = workspace.as_ref().map(|w| w.settings.clone()).unwrap_or_default();
        let root = workspace.as_ref().map_or_else(|| directory.clone(), |w| w.root.clone());
        let deployment = Deployment {
            stack_name: settings.stack.clone(),
            parameters: settings.parameters.clone().into_iter().chain(cli.parameters()).collect(),
        };
        let project = Arc::new(template::load(&template, &deployment)?);
        let env_file = cli.env_file.clone().unwrap_or_else(|| directory.join(".env"));
        if cli.verbose {
            // `--env` comes last, so that it takes precedence.
            cli.env = settings.verbose.clone().into_iter().chain(cli.env).collect();
        }
        let known = |name: &str| {
            settings.is_for_secret(name)
                || project.functions.iter().any(|f| f.environment.contains_key(name))
        };
        if let Some((name, _)) = cli.env.iter().find(|(name, _)| !known(name)) {
            bail!("--env sets {name}, but no function in the template has this variable");
        }
        let process = |name: &str| std::env::var(name).ok();
        let overrides = Overrides::read(
            &directory,
            &env_file,
            cli.env_file.is_some(),
            process,
            cli.env.clone(),
        )?;
        if let Some(seed) = &settings.seed {
            let known = project.functions.iter().any(|f| f.name == *seed);
            ensure!(
                known,
                "the seed {seed} in [workspace.metadata.local] is not a function of the template"
            );
        }
        let data_dir = match &cli.data_dir {
            _ if cli.ephemeral => DataDir::ephemeral()?,
            Some(path) => DataDir::open(path)?,
            None => DataDir::open(&directory.join(".local"))?,
        };
        let stripe = settings.webhook.is_some() && overrides.stripe() == Stripe::StandIn;
        let ports = Some(Ports::take(&cli, &project, stripe).await?);
        let programs = match cli.functions {
            Some(_) => None,
            None => {
                Some(Programs::find(&directory, workspace, &project.functions, cli.each).await?)
            }
        };
        let mut reload = None;
        if let Some(programs) = programs.as_ref().filter(|_| !cli.no_build) {
            log.line("local", None, &format!("building {} functions", project.functions.len()));
            if !cli.no_watch {
                // Watching starts before the build, which may miss changes made while it runs.
                let configuration = vec![template, directory.join("local.env"), env_file];
                let programs = programs.clone();
                reload = Some(Reload::new(root.clone(), programs, cli.release, configuration));
            }
            programs.build(cli.release, Progress::Shown).await?;
        }
        Ok(Self { cli, settings, root, programs, project, overrides, data_dir, ports, reload })
    }

    /// Returns the overridden variables that no function in the template has.
    pub(super) fn unused_overrides(&self) -> Vec<&str> {
        let known = |name: &&str| {
            self.settings.is_for_secret(name)
                || self.project.functions.iter().any(|f| f.environment.contains_key(*name))
        };
        self.overrides.names().filter(|name| !known(name)).collect()
    }

    /// Returns where the database is stored.
    pub(super) fn storage(&self) -> Storage {
        match &self.cli.dynamodb {
            Some(url) => Storage::Endpoint { url: url.clone(), own_tables: self.cli.ephemeral },
            None if self.cli.ephemeral => Storage::Memory,
            None => Storage::Directory(self.data_dir.path().to_owned()),
        }
    }

    /// Opens the secrets of this run.
    ///
    /// # Errors
    /// When a secret's value can't be found out, or the file of secrets can't be used.
    pub(super) fn secrets(&self, services: &Services) -> Result<SecretStore> {
        let settings = &self.settings.secrets;
        let values =
            environment::secret_values(&self.project, settings, &self.overrides, services)?;
        let file = self.data_dir.persistent_path().map(|path| path.join("secrets.json"));
        SecretStore::open(file, &self.project.secrets, &values)
    }

    /// Returns the quotas of the WebSocket API: those of AWS, unless flags change them.
    pub(super) fn quotas(&self) -> Quotas {
        let defaults = Quotas::default();
        Quotas {
            idle_timeout: self.cli.ws_idle_timeout.unwrap_or(defaults.idle_timeout),
            max_duration: self.cli.ws_max_duration.unwrap_or(defaults.max_duration),
            ..defaults
        }
    }

    /// Returns the function that inserts sample data, unless `--no-seed` is given.
    pub(super) fn seed(&self) -> Option<&Function> {
        let seed = self.settings.seed.as_ref().filter(|_| !self.cli.no_seed)?;
        self.project.functions.iter().find(|f| f.name == *seed)
    }

    /// Returns the addresses of this run's services.
    ///
    /// # Errors
    /// When functions need AWS credentials that the environment lacks.
    pub(super) fn services(
        &self,
        dynamodb: &DynamoDb,
        http: &Option<TcpListener>,
        ws: &Option<TcpListener>,
        stripe: &Option<TcpListener>,
        invoke: &TcpListener,
    ) -> Result<Services> {
        let port = |listener: &TcpListener| listener.local_addr().map(|a| a.port());
        let url = |scheme: &str, listener: &Option<TcpListener>| -> Result<String> {
            // Browsers treat the name `localhost` as a secure origin.
            listener
                .as_ref()
                .map_or(Ok(String::new()), |l| Ok(format!("{scheme}://localhost:{}", port(l)?)))
        };
        let invoke = format!("http://127.0.0.1:{}", port(invoke)?);
        let stage =
            self.project.websocket_api.as_ref().map(|api| api.stage.as_str()).unwrap_or_default();
        Ok(Services {
            http: url("http", http)?,
            ws: url("ws", ws)?,
            connections: format!("{invoke}/{stage}"),
            dynamodb: dynamodb.endpoint_url.clone(),
            stripe: stripe
                .as_ref()
                .map(|l| port(l).map(|port| format!("http://127.0.0.1:{port}")))
                .transpose()?,
            webhook_secret: stripe.as_ref().map(|_| WEBHOOK_SECRET.to_owned()),
            invoke,
            aws: dynamodb.is_aws.then(|| aws(&dynamodb.streams.region)).transpose()?,
        })
    }

    /// Returns the file to start for each function, in the functions' order.
    ///
    /// # Errors
    /// When a binary has not been built, or the data directory can't be written.
    pub(super) fn programs(&self) -> Result<Vec<PathBuf>> {
        let programs = self.programs.as_ref();
        programs.map_or(Ok(Vec::new()), |p| p.files(&self.data_dir, self.cli.release))
    }

    /// Returns the summary of what is served and where.
    pub(super) fn summary(&self, services: Services) -> Summary {
        Summary {
            http: Some(services.http).filter(|url| !url.is_empty()),
            ws: Some(services.ws).filter(|url| !url.is_empty()),
            dynamodb: services.dynamodb,
            stripe: services.stripe,
            invoke: services.invoke,
            webhook_secret: services.webhook_secret,
            functions: self.project.functions.iter().map(|f| f.name.clone()).collect(),
        }
    }

    /// Describes what runs the functions, for the summary.
    pub(super) fn runner_description(&self) -> String {
        match (&self.cli.functions, &self.programs) {
            (Some(url), _) => format!("run by {url}"),
            (None, programs) => {
                programs.as_ref().map(|p| p.describe(self.cli.release)).unwrap_or_default()
            }
        }
    }

    /// Describes what is kept after the run.
    pub(super) fn kept_data(&self) -> String {
        match &self.cli.dynamodb {
            Some(url) => format!("data stays in {url}"),
            None if self.cli.ephemeral => "nothing was kept".to_owned(),
            None => format!("data is kept in {}", self.data_dir.path().display()),
        }
    }

    /// Describes where data is stored, for the summary.
    pub(super) fn data_description(&self) -> String {
        match &self.cli.dynamodb {
            Some(url) => format!("a proxy for {url}"),
            None if self.cli.ephemeral => "in memory".to_owned(),
            None => format!("kept in {}", self.data_dir.path().display()),
        }
    }
}

/// Returns the developer's own credentials, which functions need to call AWS.
fn aws(region: &str) -> Result<Aws> {
    let mut credentials = BTreeMap::new();
    for (name, needed) in
        [("AWS_ACCESS_KEY_ID", true), ("AWS_SECRET_ACCESS_KEY", true), ("AWS_SESSION_TOKEN", false)]
    {
        match std::env::var(name) {
            Ok(value) => drop(credentials.insert(name.to_owned(), value)),
            Err(error) if needed => {
                return Err(error).with_context(|| format!("--dynamodb with AWS requires {name}"));
            }
            Err(_) => {}
        }
    }
    Ok(Aws { region: region.to_owned(), credentials })
}
