// Tests the client with a fake clock and a fake server: run `node --test` in this folder.
// tests/it/browser tests it in a real browser with the real server.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Live, TicketError, tickets, times } from "./live.js";

const { fetch } = globalThis;
const real = { setTimeout, clearTimeout, now: Date.now, random: Math.random, fetch };
let clock, sockets, lives;

/** Waits until all pending promises are settled. */
const settle = () => new Promise((done) => setImmediate(done));

/** Advances the clock, timer by timer. */
async function pass(milliseconds) {
  const end = clock.now + milliseconds;
  await settle();
  for (;;) {
    const due = [...clock.timers].filter(([, timer]) => timer.at <= end);
    if (!due.length) break;
    const [id, timer] = due.sort(([, a], [, b]) => a.at - b.at)[0];
    clock.timers.delete(id);
    clock.now = Math.max(clock.now, timer.at);
    timer.run();
    await settle();
  }
  clock.now = end;
}

class FakeSocket {
  static OPEN = 1;
  readyState = 0;
  sent = [];
  constructor(url) {
    this.url = url;
    sockets.push(this);
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
  open() {
    this.readyState = 1;
    this.onopen?.();
  }
  say(frame) {
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }
  drop() {
    this.readyState = 3;
    this.onclose?.({ code: 1006 });
  }
  welcome(feeds, user_id = "u") {
    this.open();
    this.say({ type: "welcome", user_id, role: "client", feeds });
  }
  entry(seq, feed = "f") {
    this.say({ type: "broadcast", feed, seq, id: `${feed}${seq}`, at: "", data: {} });
  }
}

class FakeStorage {
  items = new Map();
  getItem = (key) => this.items.get(key) ?? null;
  setItem = (key, value) => void this.items.set(key, value);
}

beforeEach(() => {
  [clock, sockets, lives] = [{ now: 1e12, timers: new Map(), last: 0 }, [], []];
  globalThis.setTimeout = (run, after = 0, ...rest) => {
    clock.timers.set(++clock.last, { at: clock.now + after, run: () => run(...rest) });
    return clock.last;
  };
  globalThis.clearTimeout = (id) => void clock.timers.delete(id);
  Date.now = () => clock.now;
  Math.random = () => 0.5;
  globalThis.WebSocket = FakeSocket;
});

afterEach(async () => {
  await Promise.all(lives.map((live) => live.close()));
  assert.equal(clock.timers.size, 0, "a closed client has no timers");
  const { setTimeout, clearTimeout, fetch } = real;
  Object.assign(globalThis, { setTimeout, clearTimeout, fetch });
  [Date.now, Math.random] = [real.now, real.random];
  for (const name of ["WebSocket", "document", "addEventListener", "removeEventListener"])
    delete globalThis[name];
});

/** Starts a client, and records what it hands to the page. */
function page(options = {}) {
  const page = { handled: [], states: [], errors: [], reloads: [] };
  page.live = new Live({
    ticket: async () => ({ url: "ws://x/?ticket=t", user_id: "u" }),
    onEntry: (entry) => void page.handled.push(`${entry.feed}${entry.seq}`),
    onReload: (feeds) => void page.reloads.push(feeds),
    onState: (state) => void page.states.push(state),
    onError: (error) => void page.errors.push(error.message),
    ...options,
  });
  lives.push(page.live);
  page.live.start();
  return page;
}

const latest = () => sockets.at(-1);
const hello = (socket) => socket.sent.find((message) => message.action === "hello")?.after;
const pings = (socket) => socket.sent.filter((message) => message.action === "ping").length;

test("a new page loads its state first, then handles entries in order", async () => {
  let loaded;
  const { handled, reloads, states } = page({
    onReload: (feeds) => new Promise((done) => (loaded = () => done(reloads.push(feeds)))),
  });
  await settle();
  latest().welcome({ f: 4, g: 0 });
  latest().entry(5);
  latest().entry(1, "g");
  await settle();
  assert.deepEqual(hello(latest()), {});
  assert.deepEqual(handled, [], "entries wait until the state is loaded");
  loaded();
  latest().entry(6);
  await settle();
  assert.deepEqual(reloads, [["f", "g"]]);
  assert.deepEqual(handled, ["f5", "g1", "f6"]);
  assert.deepEqual(states.map((state) => state.name), ["connecting", "open"]);
});

test("a duplicate entry is handled once, and a missing one is requested", async () => {
  const { handled, errors, reloads } = page();
  await settle();
  latest().welcome({ f: 0, g: 0 });
  for (const n of [1, 2, 1, 2, 3]) latest().entry(n);
  latest().entry(1, "g");
  latest().entry(5);
  latest().entry(6);
  await pass(1000);
  assert.equal(sockets.length, 2);
  assert.match(errors[0], /entry 4 of f is missing/);
  latest().welcome({ f: 6, g: 1 });
  assert.deepEqual(hello(latest()), { f: 3, g: 1 });
  for (const n of [4, 5, 6, 7]) latest().entry(n);
  latest().entry(1, "foreign");
  await settle();
  assert.deepEqual(handled, ["f1", "f2", "f3", "g1", "f4", "f5", "f6", "f7"]);
  assert.equal(reloads.length, 1);
});

test("the number of an entry is stored after the entry was handled", async () => {
  const storage = new FakeStorage();
  const waiting = [];
  page({ storage, onEntry: () => new Promise((done) => waiting.push(done)) });
  await settle();
  latest().welcome({ f: 7 });
  await settle();
  const stored = () => JSON.parse(storage.getItem("live:u"));
  assert.deepEqual(stored(), { f: 7 });
  latest().entry(8);
  latest().entry(9);
  await settle();
  assert.deepEqual([stored(), waiting.length], [{ f: 7 }, 1], "one entry at a time");
  waiting[0]();
  await settle();
  assert.deepEqual([stored(), waiting.length], [{ f: 8 }, 2]);
  // The page dies here. The next page continues after the handled entry.
  const next = page({ storage });
  await settle();
  latest().open();
  assert.deepEqual(hello(latest()), { f: 8 });
  latest().welcome({ f: 9 });
  latest().entry(9);
  await settle();
  assert.deepEqual([next.handled, next.reloads], [["f9"], []]);
  waiting[1]();
});

test("an entry whose handler fails comes again, before the entries after it", async () => {
  const storage = new FakeStorage();
  let broken = true;
  const { handled, errors } = page({
    storage,
    onEntry: (entry) => {
      if (entry.seq === 2 && broken) throw new Error("disk full");
      handled.push(entry.seq);
    },
  });
  await settle();
  latest().welcome({ f: 0 });
  for (const n of [1, 2, 3]) latest().entry(n);
  await settle();
  assert.deepEqual([handled, JSON.parse(storage.getItem("live:u"))], [[1], { f: 1 }]);
  assert.ok(errors.includes("disk full"));
  const before = sockets.length;
  await pass(500);
  assert.equal(sockets.length, before + 1);
  broken = false;
  latest().welcome({ f: 3 });
  assert.deepEqual(hello(latest()), { f: 1 });
  for (const n of [2, 3]) latest().entry(n);
  await settle();
  assert.deepEqual(handled, [1, 2, 3]);
});

test("a failed load is repeated before any entry is handled", async () => {
  let attempts = 0;
  const { handled } = page({
    onReload: () => (++attempts === 1 ? Promise.reject(new Error("offline")) : null),
  });
  await settle();
  latest().welcome({ f: 3 });
  latest().entry(4);
  await pass(500);
  latest().open();
  assert.deepEqual(hello(latest()), {});
  latest().welcome({ f: 4 });
  latest().entry(5);
  await settle();
  assert.deepEqual([attempts, handled], [2, ["f5"]]);
});

test("a frame that the server sends twice counts once", async () => {
  const { handled, reloads, states } = page();
  await settle();
  const socket = latest();
  socket.welcome({ f: 3 });
  await settle();
  socket.entry(4);
  socket.entry(4);
  socket.entry(5);
  socket.welcome({ f: 3 });
  socket.entry(6);
  await settle();
  const tooOld = { type: "error", code: "feed_number_too_old", detail: "", feed: "f", oldest: 9 };
  socket.say(tooOld);
  socket.entry(9);
  socket.say(tooOld);
  socket.entry(10);
  await settle();
  assert.deepEqual(handled, ["f4", "f5", "f6", "f9", "f10"]);
  assert.deepEqual(reloads, [["f"], ["f"]]);
  assert.equal(sockets.length, 1, "the socket stays open");
  assert.equal(states.filter((state) => state.name === "open").length, 1);
});

test("tabs that share a storage each handle every entry, and its number never falls", async () => {
  const storage = new FakeStorage();
  const [one, two] = [page({ storage }), page({ storage })];
  await settle();
  const [first, second] = sockets;
  first.welcome({ f: 0 });
  second.welcome({ f: 0 });
  await settle();
  for (const n of [1, 2, 3]) first.entry(n);
  await settle();
  for (const n of [1, 2]) second.entry(n);
  await settle();
  assert.deepEqual([one.handled, two.handled], [["f1", "f2", "f3"], ["f1", "f2"]]);
  assert.equal(storage.getItem("live:u"), '{"f":3}');
  second.drop();
  await pass(1000);
  latest().open();
  assert.deepEqual(hello(latest()), { f: 2 }, "a tab continues after its own last entry");
  page({ storage, name: "other" });
  await settle();
  latest().open();
  assert.deepEqual(hello(latest()), {}, "a client with another name has its own numbers");
});

test("the client works with a storage that is full, forbidden or corrupt", async () => {
  for (const content of ["{", "[]", "null", '{"f":-1,"g":"2","h":1.5}']) {
    const full = () => {
      throw new Error("quota");
    };
    const storage = { getItem: () => content, setItem: full };
    const { handled, errors } = page({ storage });
    await settle();
    latest().welcome({ f: 1 });
    latest().entry(2);
    await settle();
    assert.deepEqual(hello(latest()), {}, content);
    assert.deepEqual(handled, ["f2"]);
    assert.ok(errors.includes("quota"));
  }
});

test("after the server was set up anew, the client continues at the server's numbers", async () => {
  const storage = new FakeStorage();
  storage.setItem("live:u", '{"f":900,"g":2}');
  const { handled, reloads, errors } = page({ storage });
  await settle();
  latest().welcome({ f: 3, g: 2 });
  const code = "feed_number_ahead";
  latest().say({ type: "error", code, feed: "f", detail: "Forget your number." });
  latest().entry(4);
  latest().entry(3, "g");
  await settle();
  assert.deepEqual([reloads, handled, errors], [[["f"]], ["f4", "g3"], []]);
  assert.equal(storage.getItem("live:u"), '{"f":4,"g":3}');
});

test("a load replaces entries that are no longer kept", async () => {
  const storage = new FakeStorage();
  storage.setItem("live:u", '{"f":5}');
  const { handled, reloads } = page({ storage });
  await settle();
  latest().welcome({ f: 22 });
  const code = "feed_number_too_old";
  latest().say({ type: "error", code, feed: "f", oldest: 21, detail: "Gone." });
  for (const n of [21, 22, 23]) latest().entry(n);
  await settle();
  assert.deepEqual([reloads, handled], [[["f"]], ["f21", "f22", "f23"]]);
  assert.equal(sockets.length, 1);
});

test("a feed that the user lost is forgotten, and a new feed is loaded", async () => {
  const { reloads } = page();
  await settle();
  latest().welcome({ f: 1, g: 1 });
  await settle();
  latest().drop();
  await pass(1000);
  latest().welcome({ f: 1, h: 8 });
  await settle();
  latest().drop();
  await pass(2000);
  latest().open();
  assert.deepEqual(hello(latest()), { f: 1, h: 8 });
  assert.deepEqual(reloads, [["f", "g"], ["h"]]);
});

test("the bound of the random reconnect delay doubles up to a minute", async () => {
  for (const random of [0, 0.5, 0.999]) {
    Math.random = () => random;
    const { live, states } = page();
    for (let n = 0; n < 12; n++) {
      const before = sockets.length;
      await settle();
      while (n > 0 && sockets.length === before) await pass(100);
      latest().drop();
    }
    await settle();
    const delays = states.filter((state) => state.name === "waiting").map((state) => state.delay);
    assert.equal(delays.length, 12);
    assert.deepEqual(delays, delays.map((_, n) => random * Math.min(60_000, 1000 * 2 ** n)));
    await live.close();
  }
});

test("only a socket that lasted resets the reconnect delay", async () => {
  const { states } = page();
  const delay = async () => {
    await settle();
    return states.filter((state) => state.name === "waiting").at(-1).delay;
  };
  for (const expected of [500, 1000, 2000]) {
    await pass(5000);
    latest().welcome({ f: 0 });
    latest().drop();
    assert.equal(await delay(), expected);
  }
  await pass(5000);
  latest().welcome({ f: 0 });
  await pass(31_000);
  latest().drop();
  assert.equal(await delay(), 500);
});

test("an idle socket is pinged, and given up without a pong", async () => {
  const { states, errors } = page();
  await settle();
  const socket = latest();
  socket.welcome({ f: 0 });
  for (let n = 1; n <= 3; n++) {
    await pass(times.ping - 1);
    assert.equal(pings(socket), n - 1);
    await pass(1);
    assert.equal(pings(socket), n);
    socket.say({ type: "pong" });
  }
  assert.equal(sockets.length, 1);
  await pass(times.ping / 2);
  socket.entry(1);
  await pass(times.ping / 2);
  assert.equal(pings(socket), 3, "any frame shows that the server is there");
  await pass(times.ping / 2 + times.pong);
  assert.equal(pings(socket), 4);
  assert.match(errors[0], /no pong in time/);
  assert.equal(states.at(-1).name, "waiting");
  socket.entry(2);
  await pass(1000);
  assert.equal(sockets.length, 2);
  latest().open();
  assert.deepEqual(hello(latest()), { f: 1 }, "frames of an abandoned socket are ignored");
});

test("a socket without a welcome, or one that never opens, is given up", async () => {
  const { errors } = page();
  await settle();
  latest().open();
  latest().say({ type: "error", code: "rate_limited", detail: "Too many." });
  await pass(times.connect);
  await pass(1000);
  assert.equal(sockets.length, 2);
  await pass(times.connect);
  assert.equal(errors.filter((error) => error.includes("no welcome in time")).length, 2);
});

test("a hello that the server failed to process is repeated", async () => {
  const { handled } = page();
  const broken = { message: "Internal server error", connectionId: "c", requestId: "r" };
  await settle();
  latest().open();
  latest().say(broken);
  await pass(1000);
  assert.equal(sockets.length, 2, "the client does not wait for the welcome");
  latest().welcome({ f: 0 });
  await settle();
  latest().drop();
  await pass(2000);
  latest().welcome({ f: 3 });
  latest().entry(1);
  await pass(times.connect - 1);
  assert.equal(sockets.length, 3);
  latest().entry(2);
  await pass(times.connect);
  await pass(5000);
  assert.equal(sockets.length, 4, "only two of three entries have come");
  latest().open();
  assert.deepEqual(hello(latest()), { f: 2 });
  latest().welcome({ f: 3 });
  latest().entry(3);
  await pass(times.connect + 1);
  assert.deepEqual([handled, sockets.length], [["f1", "f2", "f3"], 4]);
});

test("a socket is replaced before it is too old, without a gap", async () => {
  const { handled, states, reloads } = page();
  await settle();
  const old = latest();
  old.welcome({ f: 0 });
  for (let n = 0; n < 40 && sockets.length === 1; n++) {
    await pass(times.ping);
    if (sockets.length === 1) old.say({ type: "pong" });
  }
  assert.ok(clock.now - 1e12 < 7_200_000, "within API Gateway's two hours");
  const next = latest();
  assert.notEqual(next, old);
  next.open();
  old.entry(1);
  old.entry(2);
  // The welcome was made before these two entries, so the new socket sends them, too.
  next.say({ type: "welcome", user_id: "u", feeds: { f: 1 } });
  for (const n of [1, 2, 3]) next.entry(n);
  await settle();
  assert.equal(old.readyState, 3);
  assert.deepEqual([handled, reloads.length], [["f1", "f2", "f3"], 1]);
  const names = states.map((state) => state.name);
  assert.deepEqual(names, ["connecting", "open", "open"], "the page did not notice");
});

test("an old socket may end while its successor is being opened", async () => {
  const { handled } = page();
  await settle();
  const old = latest();
  old.welcome({ f: 0 });
  while (sockets.length === 1) {
    await pass(times.pong / 2);
    old.say({ type: "pong" });
  }
  old.drop();
  await pass(1000);
  assert.equal(sockets.length, 2);
  latest().welcome({ f: 1 });
  latest().entry(1);
  await settle();
  assert.deepEqual(handled, ["f1"]);
});

test("a page that becomes visible or has a network again reconnects at once", async () => {
  const listeners = {};
  globalThis.addEventListener = (name, listener) => (listeners[name] = listener);
  globalThis.removeEventListener = (name) => delete listeners[name];
  globalThis.document = { visibilityState: "hidden", addEventListener, removeEventListener };
  Math.random = () => 0.999;
  const { live } = page();
  await settle();
  latest().drop();
  listeners.visibilitychange();
  await settle();
  assert.equal(sockets.length, 1, "the page is still hidden");
  document.visibilityState = "visible";
  listeners.visibilitychange();
  await settle();
  assert.equal(sockets.length, 2);
  latest().welcome({ f: 0 });
  listeners.online();
  listeners.online();
  assert.equal(pings(latest()), 1, "one ping at a time");
  latest().say({ type: "pong" });
  await live.close();
  assert.deepEqual(listeners, {});
});

test("a refused ticket stops the client, which can be started again", async () => {
  for (const status of [401, 403, 422]) {
    let signedIn = false;
    const ticket = async () => {
      if (!signedIn) throw new TicketError(status, { code: "x", detail: "Sign in." });
      return { url: "ws://x/", user_id: "u" };
    };
    const { live, states } = page({ ticket });
    await pass(600_000);
    assert.deepEqual(states.map((state) => state.name), ["connecting", "stopped"]);
    assert.deepEqual([states[1].error.status, states[1].error.message], [status, "Sign in."]);
    signedIn = true;
    const before = sockets.length;
    live.start();
    await settle();
    assert.equal(sockets.length, before + 1);
  }
});

test("a temporarily refused ticket is requested again, not before Retry-After", async () => {
  const requests = [];
  const errors = [
    new TicketError(429, {}, 30),
    new TicketError(503),
    new TypeError("Failed to fetch"),
  ];
  page({
    ticket: async () => {
      requests.push(clock.now - 1e12);
      if (errors.length) throw errors.shift();
      return new Promise(() => {});
    },
  });
  await pass(34_000);
  assert.deepEqual(requests, [0, 30_500, 31_500, 33_500]);
  await pass(times.connect + 4000);
  assert.equal(requests.length, 5, "a ticket that does not come in time is requested again");
});

test("a refused access token is renewed once", async () => {
  const requests = [];
  const response = (status, body, headers = {}) => ({
    ok: status < 300,
    status,
    json: async () => body,
    headers: { get: (name) => headers[name] ?? null },
  });
  let responses = [
    response(401, { code: "invalid_token" }),
    response(200, { url: "ws://x/", user_id: "u" }),
  ];
  globalThis.fetch = async (url, init) => {
    requests.push([init.method, url, init.headers.authorization]);
    return responses.shift();
  };
  const ticket = tickets("http://api/", async (renew) => (renew ? "new" : "old"));
  assert.equal((await ticket()).user_id, "u");
  const url = "http://api/live/tickets";
  assert.deepEqual(requests, [["POST", url, "Bearer old"], ["POST", url, "Bearer new"]]);
  const signIn = { code: "invalid_token", detail: "Sign in." };
  responses = [response(401, {}), response(401, signIn)];
  await assert.rejects(ticket(), { status: 401, code: "invalid_token", message: "Sign in." });
  responses = [response(429, {}, { "retry-after": "7" })];
  await assert.rejects(ticket(), { status: 429, retryAfter: 7 });
});

test("the client ignores another user's welcome and stops at another user's ticket", async () => {
  let user = "u";
  const { states, handled } = page({ ticket: async () => ({ url: "ws://x/", user_id: user }) });
  await settle();
  latest().welcome({ f: 0 }, "someone else");
  latest().entry(1);
  await pass(500);
  assert.deepEqual([sockets.length, handled], [2, []]);
  user = "v";
  latest().drop();
  await pass(5000);
  assert.equal(states.at(-1).name, "stopped");
  assert.match(states.at(-1).error.message, /Another user/);
});

test("a malformed frame ends the socket or is ignored", async () => {
  const { handled, errors } = page();
  await settle();
  latest().welcome({ f: 0 });
  const malformed = [{}, [], 3, { type: "entry", feed: "f", seq: "1" }, { type: "x", feed: "f" }];
  for (const frame of malformed) latest().say(frame);
  latest().say({ type: "error", code: "unknown_action", detail: "The actions are ..." });
  latest().entry(1);
  latest().say("no JSON");
  latest().entry(2);
  await settle();
  assert.deepEqual(handled, ["f1"]);
  assert.deepEqual(errors, ["The actions are ...", "The connection ended: a frame was not JSON."]);
});

test("a closed client calls no handler, and a restarted one gets each entry once", async () => {
  let finish;
  const { live, states, handled } = page({
    onEntry: (entry) => new Promise((done) => (finish = () => done(handled.push(entry.seq)))),
  });
  await settle();
  latest().welcome({ f: 0 });
  for (const n of [1, 2, 3]) latest().entry(n);
  await settle();
  const closed = live.close();
  live.start();
  await settle();
  latest().open();
  assert.deepEqual(hello(latest()), { f: 0 }, "the handler has not finished entry 1");
  latest().say({ type: "welcome", user_id: "u", feeds: { f: 3 } });
  for (const n of [1, 2, 3]) latest().entry(n);
  for (let n = 1; n <= 3; n++) {
    finish();
    await settle();
  }
  await closed;
  assert.deepEqual(handled, [1, 2, 3]);
  const names = states.map((state) => state.name);
  assert.deepEqual(names, ["connecting", "open", "closed", "connecting", "open"]);
});
