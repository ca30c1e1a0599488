//! One run of the local cloud, from its start to its end.

mod lambda_watch;
mod plan;
mod ports;
mod programs;
mod reload;
mod runner;
mod summary;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use axum::Router;
use bytes::Bytes;
use futures::StreamExt as _;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use self::plan::{Plan, WEBHOOK_SECRET};
use self::runner::Runner;
use self::summary::{Remarks, Summary};
use crate::cli::Cli;
use crate::dynamodb::DynamoDb;
use crate::environment;
use crate::functions::invoke_api::{self, InvokeApi};
use crate::iam::Iam;
use crate::log::Log;
use crate::model::Function;
use crate::schedules::Schedules;
use crate::secrets::api::SecretsApi;
use crate::signals::Stop;
use crate::streams::{self, Pace, Streams};
use crate::template::{ACCOUNT, REGION};
use crate::{http_api, secrets, websocket};

/// The HTTP API's timeout with `--functions`, where a function may have to be compiled first.
const COMPILE_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// A running cloud.
struct Cloud {
    plan: Plan,
    summary: Summary,
    runner: Runner,
    /// Stops the WebSocket API and the stand-in for Stripe.
    shutdown: CancellationToken,
    websocket: Option<websocket::Running>,
    stripe: Option<JoinHandle<()>>,
    servers: JoinSet<()>,
    /// Streams and schedules, which start after every function has started once.
    background: Option<(Streams, Schedules)>,
    /// Rebuilds functions whose code changes.
    reload: Option<AbortOnDropHandle<()>>,
    dynamodb: DynamoDb,
}

/// Runs the local cloud until `stop` is requested.
///
/// # Errors
/// When the cloud can't start; the message is one sentence that says why.
pub(crate) async fn run(cli: Cli, stop: Stop) -> Result<()> {
    let began = Instant::now();
    let log = Log::new(cli.verbose);
    let started = async { Cloud::start(Plan::prepare(cli, &log).await?, log.clone()).await };
    let cloud = tokio::select! {
        biased;
        () = stop.requested.cancelled() => {
            log.line("local", None, "stopped before everything was started");
            return Ok(());
        }
        cloud = started => cloud?,
    };
    cloud.announce(began.elapsed())?;
    stop.requested.cancelled().await;
    log.line("local", None, "stopping; Ctrl-C again stops at once");
    let kept = cloud.plan.kept_data();
    cloud.end(stop.urgent).await;
    log.line("local", None, &format!("stopped; {kept}"));
    Ok(())
}

impl Cloud {
    async fn start(mut plan: Plan, log: Log) -> Result<Self> {
        for note in &plan.project.notes {
            log.line("local", None, note);
        }
        for name in plan.unused_overrides() {
            log.line(
                "local",
                None,
                &format!(
                    "local.env or .env sets {name}, but no function in the template has this \
                     variable"
                ),
            );
        }
        let iam = Arc::new(Iam::new(&plan.project));
        let ports = plan.ports.take().context("the ports have already been taken")?;
        let dynamodb = DynamoDb::start(
            &plan.project,
            iam.clone(),
            plan.storage(),
            ports.dynamodb,
            log.clone(),
        )
        .await?;
        let services =
            plan.services(&dynamodb, &ports.http, &ports.ws, &ports.stripe, &ports.invoke)?;
        let store = plan.secrets(&services)?;
        let environments =
            environment::variables(&plan.project, &plan.overrides, &store, &services)?;
        let runner = plan.runner(environments, &services, &log).await?;
        let invoke = runner.as_invoke();

        let shutdown = CancellationToken::new();
        let mut servers = JoinSet::new();
        let authorize: invoke_api::Authorize = {
            let iam = iam.clone();
            Arc::new(move |key: &str, action: &str, resource: &str| {
                iam.allows(key, action, resource)
            })
        };
        let mut management = invoke_api::router(InvokeApi {
            project: plan.project.clone(),
            invoke: invoke.clone(),
            log: log.clone(),
            authorize: Some(authorize.clone()),
            retry_delays: invoke_api::RETRY_DELAYS,
        });
        let mut websocket = None;
        if let (Some(api), Some(listener)) = (plan.project.websocket_api.clone(), ports.ws) {
            let running = websocket::start(
                listener,
                api,
                plan.quotas(),
                invoke.clone(),
                log.clone(),
                shutdown.clone(),
            )?;
            management = management.merge(running.management(authorize));
            websocket = Some(running);
        }
        management = management.merge(secrets::api::router(SecretsApi {
            store,
            iam: iam.clone(),
            log: log.clone(),
            arn_prefix: format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:"),
        }));
        serve(&mut servers, ports.invoke, management);
        if let (Some(api), Some(listener)) = (&plan.project.http_api, ports.http) {
            let timeout = match runner {
                Runner::Own(_) => http_api::INTEGRATION_TIMEOUT,
                Runner::Remote(_) => COMPILE_TIMEOUT,
            };
            let gateway =
                http_api::Gateway::new(api, &plan.project, invoke.clone(), log.clone(), timeout);
            servers.spawn(async move { drop(http_api::serve(listener, gateway).await) });
        }
        let stripe = match ports.stripe {
            Some(listener) => {
                let webhook =
                    plan.settings.webhook.as_ref().map(|path| format!("{}{path}", services.http));
                let data_file =
                    plan.data_dir.persistent_path().map(|path| path.join("stripe.jsonl"));
                let mut options = stripe_local::Options::new(webhook, WEBHOOK_SECRET, data_file);
                let (secret_key, publishable_key) = plan.overrides.stripe_keys();
                options.secret_keys.extend(secret_key.cloned());
                options.publishable_keys.extend(publishable_key.cloned());
                let log = log.clone();
                let log = stripe_local::Log::new(move |request_id, text| {
                    log.line("stripe", request_id, text);
                });
                Some(stripe_local::start(listener, options, log, shutdown.clone()).await?)
            }
            None => None,
        };
        let summary = plan.summary(services);
        let mut cloud = Self {
            plan,
            summary,
            runner,
            shutdown,
            websocket,
            stripe,
            servers,
            background: None,
            reload: None,
            dynamodb,
        };
        match cloud.start_functions(log).await {
            Ok(()) => Ok(cloud),
            Err(error) => {
                cloud.runner.stop().await;
                Err(error)
            }
        }
    }

    /// Starts every function once, then streams and schedules, and inserts sample data.
    async fn start_functions(&mut self, log: Log) -> Result<()> {
        if let Runner::Own(functions) = &self.runner {
            let count = self.plan.project.functions.len();
            log.line("local", None, &format!("starting {count} functions"));
            // The pool limits how many processes start at once.
            let names = self.plan.project.functions.iter().map(|f| functions.warm(&f.name));
            let mut started = futures::stream::iter(names).buffer_unordered(16);
            while let Some(outcome) = started.next().await {
                outcome?;
            }
        }
        let project = &self.plan.project;
        let invoke = self.runner.as_invoke();
        let data_dir = self.plan.data_dir.persistent_path();
        let (dynamodb, pace) = (&self.dynamodb, Pace::default());
        let setup = streams::Setup {
            project,
            dynamodb,
            invoke: invoke.clone(),
            data_dir,
            log: log.clone(),
            pace,
        };
        let streams = Streams::start(&setup).await?;
        self.background = Some((streams, Schedules::start(project, invoke, log.clone())?));
        if let Some(seed) = self.plan.seed() {
            self.seed(seed, &log).await?;
        }
        if let (Runner::Own(functions), Some(reload)) = (&self.runner, self.plan.reload.take()) {
            let task = tokio::spawn(reload.run(functions.clone(), log));
            self.reload = Some(AbortOnDropHandle::new(task));
        }
        Ok(())
    }

    async fn seed(&self, seed: &Function, log: &Log) -> Result<()> {
        log.line("local", None, &format!("adding sample data with {}", seed.name));
        let invocation =
            self.runner.as_invoke().invoke(&seed.name, Bytes::from_static(b"{}")).await;
        let invocation =
            invocation.with_context(|| format!("{} did not add its sample data", seed.name))?;
        let reply = String::from_utf8_lossy(&invocation.payload);
        if invocation.error.is_some() {
            bail!("{} did not add its sample data: {reply}", seed.name);
        }
        log.line(&seed.name, None, &reply);
        Ok(())
    }

    fn announce(&self, startup_time: Duration) -> Result<()> {
        if self.plan.cli.json {
            println!("{}", self.summary.to_json()?);
            return Ok(());
        }
        let settings = &self.plan.settings;
        let remarks = Remarks {
            startup_time,
            runner: self.plan.runner_description(),
            data: self.plan.data_description(),
            webhook: settings.webhook.clone(),
            watches: self.reload.is_some(),
            hints: settings.hints.clone(),
        };
        print!("{}", self.summary.to_text(&remarks));
        Ok(())
    }

    /// Stops everything in order, or at once when `urgent` is cancelled.
    async fn end(self, urgent: CancellationToken) {
        let Self {
            plan,
            runner,
            shutdown,
            websocket,
            stripe,
            mut servers,
            background,
            reload,
            dynamodb,
            ..
        } = self;
        // Records that a mapping has not finished are delivered after the next start.
        drop(background);
        drop(reload);
        let in_order = async {
            shutdown.cancel();
            if let Some(websocket) = websocket {
                // Waits for `$disconnect`, which needs the functions and the database.
                websocket.drained().await;
            }
            if let Some(stripe) = stripe {
                // `shutdown` ends it. Its result doesn't matter anymore.
                drop(stripe.await);
            }
        };
        urgent.run_until_cancelled(in_order).await;
        servers.abort_all();
        runner.stop().await;
        drop(dynamodb);
        // The plan releases the data directory, which the next run may then take.
        drop(plan);
    }
}

fn serve(servers: &mut JoinSet<()>, listener: TcpListener, router: Router) {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    servers.spawn(async move { drop(axum::serve(listener, service).await) });
}
