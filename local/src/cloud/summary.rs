//! The summary of a started cloud: one line of JSON for programs, or some lines for people.

use std::time::Duration;

use serde::Serialize;

/// The addresses of what a run serves.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Summary {
    /// The HTTP API.
    pub(super) http: Option<String>,
    /// The WebSocket API.
    pub(super) ws: Option<String>,
    /// DynamoDB.
    pub(super) dynamodb: String,
    /// The stand-in for Stripe, unless functions use Stripe itself.
    pub(super) stripe: Option<String>,
    /// The Lambda Invoke API, and `@connections` of the WebSocket API.
    pub(super) invoke: String,
    /// The secret that the stand-in for Stripe signs webhooks with.
    pub(super) webhook_secret: Option<String>,
    /// The functions' names.
    pub(super) functions: Vec<String>,
}

/// What the summary for people says besides the addresses.
#[derive(Debug, Clone)]
pub(super) struct Remarks {
    /// How long the start took.
    pub(super) startup_time: Duration,
    /// A description of what runs the functions.
    pub(super) runner: String,
    /// A description of where data is stored.
    pub(super) data: String,
    /// The path of the HTTP API that receives Stripe's events.
    pub(super) webhook: Option<String>,
    /// Whether functions are rebuilt when their code changes.
    pub(super) watches: bool,
    /// The project's own lines, from `[workspace.metadata.local]`.
    pub(super) hints: Vec<String>,
}

impl Summary {
    /// Returns one line of JSON.
    ///
    /// # Errors
    /// Never, because every field can be represented in JSON.
    pub(super) fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// Returns a few lines for people.
    pub(super) fn to_text(&self, remarks: &Remarks) -> String {
        let mut text = format!(
            "\nThe local cloud is ready, after {:.1} s.\n\n",
            remarks.startup_time.as_secs_f64()
        );
        let mut line = |name: &str, address: &str, remark: &str| {
            let line = format!("  {name:<14}{address:<26}{remark}");
            text.push_str(line.trim_end());
            text.push('\n');
        };
        if let Some(http) = &self.http {
            line("HTTP API", http, "");
        }
        if let Some(ws) = &self.ws {
            line("WebSocket API", ws, "");
        }
        line("DynamoDB", &self.dynamodb, &remarks.data);
        match (&self.stripe, &remarks.webhook) {
            (Some(stripe), _) => line("Stripe", stripe, "a stand-in, which also sends webhooks"),
            (None, None) => {}
            (None, Some(webhook)) => {
                line(
                    "Stripe",
                    "https://api.stripe.com",
                    "with your own key; to get its webhooks, run",
                );
                let http = self.http.as_deref().unwrap_or_default();
                let target = format!("{http}{webhook}");
                line("", "", &format!("stripe listen --forward-to {target}"));
            }
        }
        line(
            "Lambda",
            &self.invoke,
            &format!("{} functions, {}", self.functions.len(), remarks.runner),
        );
        if !remarks.hints.is_empty() {
            text.push('\n');
        }
        for hint in &remarks.hints {
            let hint = hint.replace("${LOCAL_HTTP}", self.http.as_deref().unwrap_or_default());
            let hint = hint.replace("${LOCAL_WS}", self.ws.as_deref().unwrap_or_default());
            text.push_str(&format!("  {hint}\n"));
        }
        if remarks.watches {
            text.push_str(
                "\n  When you change the code, it is rebuilt and served without a restart.",
            );
        }
        text.push_str("\n  Ctrl-C stops everything.\n");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(stripe: Option<&str>) -> Summary {
        Summary {
            http: Some("http://localhost:8000".into()),
            ws: Some("ws://localhost:8001".into()),
            dynamodb: "http://127.0.0.1:8002".into(),
            stripe: stripe.map(Into::into),
            invoke: "http://127.0.0.1:8004".into(),
            webhook_secret: None,
            functions: vec!["a".into(), "b".into()],
        }
    }

    fn remarks() -> Remarks {
        Remarks {
            startup_time: Duration::from_millis(1234),
            runner: "run from target/debug/shop".into(),
            data: "kept in .local".into(),
            webhook: Some("/hook".into()),
            watches: true,
            hints: vec!["Try curl ${LOCAL_HTTP}/".into()],
        }
    }

    #[test]
    fn programs_get_one_line_with_all_addresses() {
        let line = summary(None).to_json().unwrap();
        assert!(!line.contains('\n'));
        let json: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(json["http"], "http://localhost:8000");
        assert_eq!(json["stripe"], serde_json::Value::Null);
        assert_eq!(json["functions"], serde_json::json!(["a", "b"]));
    }

    #[test]
    fn people_get_addresses_hints_and_the_command_for_real_webhooks() {
        let text = summary(Some("http://127.0.0.1:8003")).to_text(&remarks());
        assert!(
            text.contains("after 1.2 s") && text.contains("  Try curl http://localhost:8000/\n"),
            "{text}"
        );
        assert!(
            text.contains(
                "Lambda        http://127.0.0.1:8004     2 functions, run from target/debug/shop"
            ),
            "{text}"
        );
        let text = summary(None).to_text(&remarks());
        assert!(text.contains("stripe listen --forward-to http://localhost:8000/hook"), "{text}");
        let text = summary(None).to_text(&Remarks { webhook: None, ..remarks() });
        assert!(!text.contains("tripe"), "{text}");
    }
}
