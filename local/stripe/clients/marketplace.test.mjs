// What a marketplace does with Stripe, done with Stripe's own Node library against stripe-local.
//
// .ci/stripe starts stripe-local and runs this. STRIPE_URL is where stripe-local listens, and
// WEBHOOK_PORT is the port that it posts webhooks to.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import Stripe from "stripe";

const url = new URL(process.env.STRIPE_URL);
const webhookSecret = "whsec_local";

function client(key = "sk_test_local", maxNetworkRetries = 0) {
  const { hostname: host, port } = url;
  return new Stripe(key, { host, port, protocol: "http", maxNetworkRetries, telemetry: false });
}

const stripe = client();
const create = (params) =>
  stripe.paymentIntents.create({ amount: 2000, currency: "usd", ...params });
const pay = (params) => create({ confirm: true, payment_method: "pm_card_visa", ...params });

// Calls the control API, with which tests make things happen.
async function control(path, body) {
  const answer = await fetch(new URL(`/_local/${path}`, url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  assert.ok(answer.ok, await answer.text());
}

const received = [];
const webhooks = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  received.push({
    body: Buffer.concat(chunks).toString(),
    signature: request.headers["stripe-signature"],
  });
  response.end();
  webhooks.emit("received");
});
before(() => webhooks.listen(Number(process.env.WEBHOOK_PORT), "127.0.0.1"));
after(() => {
  webhooks.close();
  webhooks.closeAllConnections();
});

test("a payment is created, retrieved, updated and confirmed", async () => {
  let intent = await create({
    metadata: { order: "1" },
    automatic_payment_methods: { enabled: true, allow_redirects: "never" },
  });
  assert.equal(intent.status, "requires_payment_method");
  intent = await stripe.paymentIntents.update(intent.id, { metadata: { order: "2" } });
  assert.equal(intent.metadata.order, "2");
  intent = await stripe.paymentIntents.confirm(intent.id, {
    payment_method: "pm_card_visa",
    expand: ["latest_charge.balance_transaction"],
  });
  assert.equal(intent.status, "succeeded");
  const { amount, fee, net } = intent.latest_charge.balance_transaction;
  assert.equal(net, amount - fee);
  const again = await stripe.paymentIntents.retrieve(intent.id);
  assert.equal(again.amount_received, 2000);
  assert.equal(typeof again.latest_charge, "string");
});

test("a payment is canceled once", async () => {
  const { id } = await create();
  const canceled = await stripe.paymentIntents.cancel(id, { cancellation_reason: "abandoned" });
  assert.equal(canceled.status, "canceled");
  await assert.rejects(stripe.paymentIntents.cancel(id), (error) => {
    assert.ok(error instanceof Stripe.errors.StripeInvalidRequestError);
    assert.equal(error.code, "payment_intent_unexpected_state");
    return true;
  });
});

test("a payment is refunded in parts", async () => {
  const { id } = await pay();
  const first = await stripe.refunds.create({ payment_intent: id, amount: 500 });
  const rest = await stripe.refunds.create({ payment_intent: id });
  assert.deepEqual([first.amount, rest.amount], [500, 1500]);
  await assert.rejects(stripe.refunds.create({ payment_intent: id }), (error) => {
    assert.ok(error instanceof Stripe.errors.StripeInvalidRequestError);
    assert.equal(error.code, "charge_already_refunded");
    return true;
  });
  const refunds = await stripe.refunds
    .list({ payment_intent: id, limit: 1 })
    .autoPagingToArray({ limit: 10 });
  assert.deepEqual(refunds.map((refund) => refund.id), [rest.id, first.id]);
});

test("events are listed page by page", async () => {
  const { id } = await pay();
  const types = [];
  for await (const event of stripe.events.list({ limit: 2 })) {
    const { object } = event.data;
    if ([object.id, object.payment_intent].includes(id)) types.push(event.type);
  }
  assert.deepEqual(types, [
    "charge.updated",
    "payment_intent.succeeded",
    "charge.succeeded",
    "payment_intent.created",
  ]);
});

test("an idempotency key replays and refuses other parameters", async () => {
  const options = { idempotencyKey: `order-${Date.now()}` };
  const params = { amount: 700, currency: "usd" };
  const first = await stripe.paymentIntents.create(params, options);
  const again = await stripe.paymentIntents.create(params, options);
  assert.equal(again.id, first.id);
  assert.equal(again.lastResponse.headers["idempotent-replayed"], "true");
  await assert.rejects(
    stripe.paymentIntents.create({ ...params, amount: 800 }, options),
    Stripe.errors.StripeIdempotencyError,
  );
});

test("a lost response is retried and pays once", async () => {
  for (const fault of ["connection_reset_after_acting", "connection_reset"]) {
    const order = `${fault}-${Date.now()}`;
    await control("faults", { fault, method: "POST", containing: order });
    const intent = await client(undefined, 2).paymentIntents.create({
      amount: 900,
      currency: "usd",
      metadata: { order },
    });
    const same = [];
    for await (const other of stripe.paymentIntents.list({ limit: 100 })) {
      if (other.metadata.order === order) same.push(other.id);
    }
    assert.deepEqual(same, [intent.id]);
  }
});

test("a declined card is a card error", async () => {
  const declined = create({
    confirm: true,
    payment_method: "pm_card_chargeDeclinedInsufficientFunds",
  });
  await assert.rejects(declined, (error) => {
    assert.ok(error instanceof Stripe.errors.StripeCardError);
    assert.deepEqual(
      [error.statusCode, error.code, error.decline_code],
      [402, "card_declined", "insufficient_funds"],
    );
    assert.equal(error.payment_intent.status, "requires_payment_method");
    assert.match(error.requestId, /^req_/);
    return true;
  });
});

test("mistakes are invalid request errors", async () => {
  const mistakes = [
    [{ amount: 10, currency: "usd" }, "amount", "amount_too_small"],
    [{ amount: 2000 }, "currency", "parameter_missing"],
    [{ amount: 2000, currency: "usd", x: 1 }, "x", "parameter_unknown"],
  ];
  for (const [params, param, code] of mistakes) {
    await assert.rejects(stripe.paymentIntents.create(params), (error) => {
      assert.ok(error instanceof Stripe.errors.StripeInvalidRequestError);
      assert.deepEqual([error.param, error.code, error.statusCode], [param, code, 400]);
      return true;
    });
  }
  await assert.rejects(stripe.paymentIntents.retrieve("pi_nothing"), (error) => {
    assert.ok(error instanceof Stripe.errors.StripeInvalidRequestError);
    assert.deepEqual([error.code, error.statusCode], ["resource_missing", 404]);
    return true;
  });
});

test("unknown keys are refused", async () => {
  await assert.rejects(
    client("sk_test_other").paymentIntents.list(),
    Stripe.errors.StripeAuthenticationError,
  );
});

test("failures of Stripe have their classes", async () => {
  const faults = {
    error_429: Stripe.errors.StripeRateLimitError,
    error_500: Stripe.errors.StripeAPIError,
  };
  for (const [fault, error] of Object.entries(faults)) {
    await control("faults", { fault, method: "POST" });
    await assert.rejects(create(), error);
  }
});

test("webhooks are signed", async () => {
  const { id } = await pay();
  const expected = new Set([
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "charge.updated",
  ]);
  let last;
  while (expected.size > 0) {
    while (received.length === 0) {
      await once(webhooks, "received", { signal: AbortSignal.timeout(10_000) });
    }
    last = received.shift();
    const event = stripe.webhooks.constructEvent(last.body, last.signature, webhookSecret);
    const { object } = event.data;
    if ([object.id, object.payment_intent].includes(id)) expected.delete(event.type);
  }
  const { body, signature } = last;
  const forged = [
    [body, signature, "whsec_other"],
    [`${body} `, signature, webhookSecret],
    [body, signature.replace("v1=", "v1=0"), webhookSecret],
    [body, signature.replace("v1=", "v0="), webhookSecret],
  ];
  for (const args of forged) {
    assert.throws(
      () => stripe.webhooks.constructEvent(...args),
      Stripe.errors.StripeSignatureVerificationError,
    );
  }
});
