//! Flags, and the message when a start fails.

use serde_json::json;

use super::{scratch, start_error};
use crate::support::{Cloud, SecretsManager, shared_cloud, workspace};

/// The process ids of this function.
fn processes(cloud: &Cloud, function: &str) -> Vec<u32> {
    let of_function = cloud.processes().into_iter().filter(|(_, name)| name == function);
    let processes: Vec<_> = of_function.map(|(pid, _)| pid).collect();
    assert!(!processes.is_empty(), "{function} does not run");
    processes
}

#[tokio::test]
async fn the_ready_line_has_every_address() {
    let ready = &shared_cloud().ready;
    assert!(
        ready.http.starts_with("http://localhost:") && ready.ws.starts_with("ws://localhost:"),
        "{ready:?}"
    );
    assert!(
        ready.dynamodb.starts_with("http://") && ready.invoke.starts_with("http://"),
        "{ready:?}"
    );
    assert!(
        ready.webhook_secret.as_deref().is_some_and(|secret| secret.starts_with("whsec_")),
        "{ready:?}"
    );
    assert!(ready.functions.iter().any(|function| function == "orders-create"), "{ready:?}");
}

#[tokio::test]
async fn every_function_can_be_invoked_by_name() {
    let cloud = shared_cloud();
    let event = std::fs::read_to_string(workspace().join("events/health.json")).unwrap();
    let reply = cloud.invoke("health", serde_json::from_str(&event).unwrap()).await;
    assert_eq!(reply["statusCode"], 200, "{reply:#}");
    assert_eq!(cloud.try_invoke("nobody", json!({})).await.status, 404);
}

#[tokio::test]
async fn own_values_reach_the_functions_and_a_stripe_key_selects_stripe() {
    let own = scratch("own-values");
    std::fs::write(
        own.join("env"),
        "STRIPE_SECRET_KEY=sk_test_mine\nSTRIPE_WEBHOOK_SECRETS=whsec_mine\n\
         JWT_ISSUER=from-the-file\n",
    )
    .unwrap();
    let file = own.join("env");
    let flags = [
        "--ephemeral",
        "--no-seed",
        "--env-file",
        file.to_str().unwrap(),
        "--env",
        "JWT_ISSUER=someone-else",
    ];
    let cloud = Cloud::start("own-values", &flags);
    assert_eq!((&cloud.ready.stripe, &cloud.ready.webhook_secret), (&None, &None));
    let environment =
        std::fs::read(format!("/proc/{}/environ", processes(&cloud, "payments-create")[0]))
            .unwrap();
    let environment = String::from_utf8(environment).unwrap();
    let given: Vec<_> = environment
        .split('\0')
        .filter(|v| v.starts_with("STRIPE_") || v.starts_with("JWT_I"))
        .collect();
    for expected in ["STRIPE_API_URL=https://api.stripe.com/", "JWT_ISSUER=someone-else"] {
        assert!(given.contains(&expected), "{given:?}");
    }
    let secrets = SecretsManager::of(&cloud);
    assert_eq!(secrets.get("marketplace/stripe").await, r#"{"secret_key":"sk_test_mine"}"#);
    let grant = [("grant_type", "password"), ("username", "admin"), ("password", "admin123")];
    cloud.client().form("/auth/token", &grant).await.problem(401, "invalid_grant");
}

#[tokio::test]
async fn a_failed_start_is_explained_in_one_sentence() {
    let taken = shared_cloud().ready.http.rsplit_once(':').unwrap().1.to_owned();
    let error = start_error("port", &["--ephemeral", "--http-port", &taken]);
    let expected = "stop the program that uses it, or choose another port with --http-port \
                    (0 for any free one)";
    assert_eq!(error, format!("port {taken} is taken: {expected}"));
    let error = start_error("env-unknown", &["--ephemeral", "--env", "JWT_ISSUES=x"]);
    assert_eq!(error, "--env sets JWT_ISSUES, but no function in the template has this variable");
    let error = start_error("live-key", &["--ephemeral", "--env", "STRIPE_SECRET_KEY=sk_live_x"]);
    assert_eq!(
        error,
        "STRIPE_SECRET_KEY is a live key: the local cloud only uses Stripe's test mode"
    );
    let error = start_error(
        "no-database",
        &["--http-port", "0", "--ws-port", "0", "--no-build", "--dynamodb", "http://127.0.0.1:1"],
    );
    assert!(error.contains("no response from DynamoDB at http://127.0.0.1:1"), "{error}");

    let template = std::fs::read_to_string(workspace().join("template.yaml")).unwrap();
    let directory = scratch("broken-template");
    let file = directory.join("template.yaml");
    for (was, is, expected) in [
        (
            "AWS::SQS::Queue",
            "AWS::S3::Bucket",
            "Resources.UndeliveredQueue: the local cloud does not support AWS::S3::Bucket",
        ),
        ("    Timeout: 10\n", "    Timeout: 10\n    Tenancy: x\n", "Tenancy"),
        ("\nResources:", "\nResources: [", "not valid YAML"),
    ] {
        assert!(template.contains(was));
        std::fs::write(&file, template.replacen(was, is, 1)).unwrap();
        let error =
            start_error("broken-template", &["--ephemeral", "--template", file.to_str().unwrap()]);
        assert!(
            error.contains("broken-template/template.yaml is not usable")
                && error.contains(expected),
            "{error}"
        );
    }
}

/// Uses a SAM project with one function and no settings for `local`.
#[tokio::test]
async fn a_function_that_does_not_build_or_crashes_at_init_is_named() {
    let directory = scratch("another-project");
    let write = |file: &str, text: &str| std::fs::write(directory.join(file), text).unwrap();
    std::fs::create_dir(directory.join("src")).unwrap();
    write(
        "Cargo.toml",
        "[package]\nname = \"shop\"\nedition = \"2024\"\n\
         [[bin]]\nname = \"greet\"\npath = \"src/main.rs\"\n[workspace]\n",
    );
    write(
        "template.yaml",
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  Greet:\n    \
         Type: AWS::Serverless::Function\n    Properties:\n      \
         CodeUri: target/lambda/greet/\n      Handler: bootstrap\n      \
         Runtime: provided.al2023\n",
    );
    let template = directory.join("template.yaml");
    let flags = [
        "--ephemeral",
        "--http-port",
        "0",
        "--ws-port",
        "0",
        "--template",
        template.to_str().unwrap(),
    ];
    write("src/main.rs", "fn main() { greet() }\n");
    let failed = Cloud::try_start("no-build", &flags).err().expect("it does not build");
    assert!(
        !failed.status.success() && failed.log.contains("Compiling shop"),
        "no progress: {}",
        failed.log
    );
    assert!(failed.log.contains("cannot find function `greet`"), "{}", failed.log);
    assert!(
        failed.log.ends_with("error: the functions do not build: see cargo's errors above\n"),
        "{}",
        failed.log
    );

    write(
        "src/main.rs",
        "fn main() { eprintln!(\"GREETING is not set\"); std::process::exit(3) }\n",
    );
    assert_eq!(
        start_error("no-init", &flags),
        "greet crashed at init (exit status 3): GREETING is not set"
    );
}
