//! Secrets Manager of a local cloud, as a person with the AWS CLI uses it.

use serde_json::{Value, json};

use super::{Client, Cloud, Response};

pub struct SecretsManager(Client);

impl SecretsManager {
    /// That of this cloud, for a developer.
    pub fn of(cloud: &Cloud) -> Self {
        Self(Client::new(&cloud.ready.invoke))
    }

    /// The same, for the caller with this access key id.
    pub fn signed_by(&self, access_key_id: &str) -> Self {
        let credential = format!("{access_key_id}/20260101/us-east-1/secretsmanager/aws4_request");
        let signed = format!("AWS4-HMAC-SHA256 Credential={credential}, Signature=00");
        Self(self.0.with_header("authorization", &signed))
    }

    pub async fn call(&self, operation: &str, body: Value) -> Response {
        self.0
            .with_header("x-amz-target", &format!("secretsmanager.{operation}"))
            .post("/", body)
            .await
    }

    /// The current value of a secret.
    pub async fn get(&self, secret: &str) -> String {
        let found = self.call("GetSecretValue", json!({"SecretId": secret})).await;
        found.expect_status(200)["SecretString"].as_str().expect("text").to_owned()
    }

    /// `aws secretsmanager put-secret-value`.
    pub async fn put(&self, secret: &str, value: &str) {
        let body = json!({"SecretId": secret, "SecretString": value});
        self.call("PutSecretValue", body).await.expect_status(200);
    }
}
