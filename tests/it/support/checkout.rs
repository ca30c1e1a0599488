//! A client who orders and pays, as a browser does.

use serde_json::{Value, json};

use super::{Client, Cloud, Response, Stripe, User, admin, eventually, new_client, price, unique};

/// A client, and a service to order.
pub struct Shopper {
    pub stripe: Stripe,
    pub user: User,
    /// The administrator who created the service.
    pub admin: User,
    pub category: String,
    service: Value,
    browser: Client,
}

impl Shopper {
    pub async fn new(cloud: &Cloud) -> Self {
        let category = unique("Paid work ");
        let (admin, user) = (admin(cloud).await, new_client(cloud).await);
        let body = json!({
            "name": "Work", "description": "Paid.", "category": category, "price": price(1999),
        });
        let service = admin.api.post("/services", body).await.expect_status(201);
        Self { stripe: Stripe::of(cloud), user, admin, category, service, browser: cloud.stripe() }
    }

    /// Places an order without a payment intent, and returns its id.
    pub async fn order(&self) -> String {
        let order = self
            .user
            .api
            .post("/orders", json!({"service_id": self.service["id"]}))
            .await
            .expect_status(201);
        order["id"].as_str().expect("an id").to_owned()
    }

    /// Places an order and creates its payment intent.
    pub async fn checkout(&self) -> Checkout {
        let order = self.order().await;
        let payment = self
            .user
            .api
            .post(&format!("/orders/{order}/payment"), json!({}))
            .await
            .expect_status(200);
        Checkout::new(self, order, &payment)
    }

    /// Places an order, pays it with this card, and confirms the payment.
    pub async fn paid(&self, card: &str) -> Checkout {
        let checkout = self.checkout().await;
        checkout.pay(card).await.expect_status(200);
        assert_eq!(checkout.confirm().await.expect_status(200)["status"], "open");
        checkout
    }
}

/// An order and its payment intent.
pub struct Checkout {
    pub order: String,
    pub intent: String,
    user: User,
    browser: Client,
    client_secret: String,
}

impl Checkout {
    pub fn new(shopper: &Shopper, order: String, payment: &Value) -> Self {
        let text = |name: &str| payment[name].as_str().expect(name).to_owned();
        Self {
            order,
            intent: text("payment_intent_id"),
            user: shopper.user.clone(),
            browser: shopper.browser.bearer(&text("publishable_key")),
            client_secret: text("client_secret"),
        }
    }

    /// Confirms the intent at Stripe, as Stripe.js does with a card.
    pub async fn pay(&self, card: &str) -> Response {
        let fields = [("payment_method", card), ("client_secret", &self.client_secret)];
        self.browser.form(&format!("/v1/payment_intents/{}/confirm", self.intent), &fields).await
    }

    /// `POST /orders/{id}/payment/confirm`.
    pub async fn confirm(&self) -> Response {
        self.user.api.post(&format!("/orders/{}/payment/confirm", self.order), json!({})).await
    }

    /// `POST /orders/{id}/payment/cancel`.
    pub async fn cancel(&self) -> Response {
        self.user.api.post(&format!("/orders/{}/payment/cancel", self.order), json!({})).await
    }

    /// `GET /orders/{id}`.
    pub async fn read(&self) -> Value {
        self.user.api.get(&format!("/orders/{}", self.order)).await.expect_status(200)
    }

    /// Returns the order's status and payment status.
    pub async fn statuses(&self) -> (String, String) {
        statuses(&self.read().await)
    }

    /// `GET /orders/{id}/payment`.
    pub async fn payment(&self) -> Value {
        self.user.api.get(&format!("/orders/{}/payment", self.order)).await.expect_status(200)
    }

    /// Waits until the order has this status and this payment status, and returns it.
    pub async fn until_statuses(&self, status: &str, payment_status: &str) -> Value {
        let expected = (status.to_owned(), payment_status.to_owned());
        let path = format!("/orders/{}", self.order);
        eventually(&format!("{} is {expected:?}", self.order), async || {
            self.user
                .api
                .get(&path)
                .await
                .ok_unless_unavailable()
                .filter(|order| statuses(order) == expected)
        })
        .await
    }
}

/// Returns an order's status and payment status.
pub fn statuses(order: &Value) -> (String, String) {
    let text = |name: &str| order[name].as_str().expect(name).to_owned();
    (text("status"), text("payment_status"))
}

/// Returns the kind and amount of each ledger entry of a payment.
pub fn ledger(payment: &Value) -> Vec<(&str, i64)> {
    let entries = payment["ledger"].as_array().expect("a ledger").iter();
    entries
        .map(|entry| {
            (
                entry["kind"].as_str().expect("kind"),
                entry["money"]["amount"].as_i64().expect("amount"),
            )
        })
        .collect()
}
