/**
 * A client for live updates: gives a browser page every entry of its user's feeds, in order and
 * exactly once. docs/live-client.md describes it.
 *
 *     import { Live, tickets } from "./live.js";
 *     const ticket = tickets(api, () => accessToken);
 *     const live = new Live({ ticket, onReload: loadOrders, onEntry: show });
 *     live.start();
 *
 * @typedef {{type: string, feed: string, seq: number, id: string, at: string, data: any}} Entry
 *   `seq` is the entry's number in its feed: 1, 2, 3, ... `data` is the order as this user may see
 *   it, the message, or the broadcast.
 *
 * @typedef {object} Options
 * @property {() => Promise<{url: string, user_id: string}>} ticket
 *   Requests a ticket: {@link tickets}, or your own function. If it throws an error whose `status`
 *   is a 4xx other than 408, 425 and 429, the client stops. After any other error it tries again,
 *   at the earliest after the error's `retryAfter` seconds.
 * @property {(entry: Entry) => unknown} onEntry
 *   Handles an entry. The next entry waits until its promise resolves. If it throws, the entry
 *   comes again.
 * @property {(feeds: string[]) => unknown} [onReload]
 *   Loads the current state of these feeds, because their earlier entries will not come: at the
 *   first start, for a new feed, when the server no longer has missed entries, and when the server
 *   started anew, without its earlier data. Later entries wait until its promise resolves, so that
 *   none is lost in between.
 * @property {(state: State) => unknown} [onState]
 *   Receives the state of the connection, for an indicator on the page.
 * @property {(error: Error) => unknown} [onError]
 *   Receives errors, for a log. The client recovers from them by itself.
 * @property {Pick<Storage, "getItem" | "setItem">} [storage]
 *   Stores the numbers of the entries you have handled. Keep them where you keep the state that
 *   your handler builds from the entries: in memory (the default) if the state is lost with the
 *   page, in `localStorage` if it is in `localStorage`.
 * @property {string} [name]
 *   The prefix of the storage key, for clients that share a storage. The default is "live".
 * @property {Partial<typeof times>} [times]
 *   Replaces some of the default times.
 *
 * @typedef {{name: "connecting" | "open" | "closed"}
 *   | {name: "waiting", delay: number}
 *   | {name: "stopped", error: Error}} State
 *   When `stopped`, ask the user to sign in (`error.status` 401) or say that they have no access
 *   (403). Then call `start()` again.
 */

/**
 * Times in milliseconds. API Gateway closes a socket after 10 minutes without a message, and after
 * 2 hours.
 */
export const times = {
  /**
   * The longest wait before the first reconnect. Each failure doubles this bound, up to `retryMax`.
   * The actual wait is a random part of the bound ("full jitter").
   */
  retry: 1_000,
  /** The longest wait before any reconnect, unless the server asks for a longer one. */
  retryMax: 60_000,
  /** After a connection that lasted this long, the longest wait is `retry` again. */
  steady: 30_000,
  /** How long to wait for a ticket, then for the welcome, then for each missed entry. */
  connect: 20_000,
  /** After this much silence the client pings the server. */
  ping: 240_000,
  /** How long the client waits for the response to a ping. */
  pong: 15_000,
  /**
   * Age at which a socket is replaced, or up to a tenth earlier, so that pages don't all reconnect
   * at once.
   */
  renew: 6_600_000,
};

/**
 * The server refused a ticket. `status` and `retryAfter` (seconds) come from the response, `code`
 * from its problem document.
 */
export class TicketError extends Error {
  constructor(status, { code, detail } = {}, retryAfter) {
    super(detail ?? `The ticket was refused with ${status}.`);
    Object.assign(this, { name: "TicketError", status, code, retryAfter });
  }
}

/**
 * Returns a function that requests tickets from `POST {api}/live/tickets`.
 *
 * @param {string} api The API's address.
 * @param {(renew: boolean) => string | Promise<string>} token
 *   Returns the access token: a fresh one if `renew` is true, because the last one was refused.
 * @returns {Options["ticket"]}
 */
export function tickets(api, token) {
  const request = async (renew) => {
    const headers = { authorization: `Bearer ${await token(renew)}` };
    const url = `${api.replace(/\/$/, "")}/live/tickets`;
    const response = await fetch(url, { method: "POST", headers });
    const body = await response.json().catch(() => ({}));
    if (response.ok) return body;
    const retryAfter = Number(response.headers.get("retry-after")) || undefined;
    throw new TicketError(response.status, body, retryAfter);
  };
  return () =>
    request(false).catch((error) => (error.status === 401 ? request(true) : Promise.reject(error)));
}

/** A client of the live API. It holds one connection, and replaces it whenever it breaks. */
export class Live {
  #options;
  #times;
  /**
   * The connection that was welcomed, and the one that is being opened. Both exist while an old
   * connection is being replaced.
   */
  #current = null;
  #next = null;
  /** The timer of the next connect, or of the wait for a ticket. */
  #timer;
  #failures = 0;
  #running = false;
  #user;
  /**
   * The numbers of two entries of each feed: `received`, the last one that arrived, and `handled`,
   * the last one that the page has handled.
   */
  #positions = new Map();
  /**
   * Calls of the page's handlers, one after another. Calls of an earlier epoch are skipped, because
   * their entries come again. Each failure of a handler, and each close, starts a new epoch.
   */
  #queue = Promise.resolve();
  #epoch = 0;
  #onVisible = () => document.visibilityState !== "hidden" && this.#check();
  #onOnline = () => this.#check();

  /** @param {Options} options */
  constructor(options) {
    this.#options = { name: "live", ...options };
    this.#times = { ...times, ...options.times };
  }

  /** Connects and stays connected. */
  start() {
    if (this.#running) return;
    this.#running = true;
    this.#failures = 0;
    globalThis.addEventListener?.("online", this.#onOnline);
    globalThis.document?.addEventListener("visibilitychange", this.#onVisible);
    this.#connect();
  }

  /** Disconnects. Once the promise resolves, no handler is running and none will be called. */
  async close() {
    if (this.#running) this.#end({ name: "closed" });
    await this.#queue;
  }

  async #connect() {
    if (this.#next) return;
    clearTimeout(this.#timer);
    // Stands for the connection until the ticket arrives.
    const attempt = (this.#next = { end() {} });
    if (!this.#current) this.#setState({ name: "connecting" });
    try {
      const timeout = new Promise((_, fail) => {
        this.#timer = setTimeout(fail, this.#times.connect, new Error("No ticket in time."));
      });
      const { url, user_id } = await Promise.race([this.#options.ticket(), timeout]);
      if (this.#next !== attempt) return;
      clearTimeout(this.#timer);
      this.#restore(user_id);
      const after = Object.fromEntries(
        [...this.#positions].map(([feed, { received }]) => [feed, received]),
      );
      this.#next = new Connection(url, after, this.#times, {
        welcome: (connection, frame) => this.#welcome(connection, frame),
        frame: (connection, frame) => this.#receive(connection, frame),
        ended: (connection, why) => this.#ended(connection, why),
        behind: ({ last }) =>
          [...this.#positions].some(([feed, { received }]) => received < last[feed]),
      });
    } catch (error) {
      if (this.#next !== attempt) return;
      this.#next = null;
      this.#ticketFailed(error);
    }
  }

  #ticketFailed(error) {
    const { status, retryAfter } = error;
    if (status >= 400 && status < 500 && ![408, 425, 429].includes(status)) {
      this.#end({ name: "stopped", error });
      return;
    }
    this.#report(error);
    this.#retry(retryAfter * 1000 || 0);
  }

  /** Connects again after a random delay, which is at least `min`. */
  #retry(min = 0) {
    const max = Math.min(this.#times.retryMax, this.#times.retry * 2 ** this.#failures++);
    const delay = min + Math.random() * max;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), delay);
    if (!this.#current) this.#setState({ name: "waiting", delay });
  }

  #welcome(connection, { user_id, feeds }) {
    if (user_id !== this.#user) return connection.end(`the welcome is for ${user_id}`);
    const old = this.#current;
    [this.#current, this.#next] = [connection, null];
    old?.end("replaced");
    this.#timer = setTimeout(() => this.#connect(), this.#times.renew * (1 - Math.random() / 10));
    for (const feed of this.#positions.keys()) if (!(feed in feeds)) this.#positions.delete(feed);
    // Feeds that our hello did not name, and feeds whose last number is lower than ours, because
    // the server started anew, without its earlier data.
    const unknown = Object.keys(feeds).filter((feed) => !(connection.after[feed] <= feeds[feed]));
    this.#reload(Object.fromEntries(unknown.map((feed) => [feed, feeds[feed]])));
    this.#setState({ name: "open" });
  }

  #receive(connection, frame) {
    const position = this.#positions.get(frame.feed);
    if (frame.type === "error") {
      const error = Object.assign(new Error(frame.detail), frame);
      // A repeated error may be about entries that have arrived since.
      if (frame.code === "feed_number_too_old" && position) {
        if (position.received + 1 < frame.oldest) this.#reload({ [frame.feed]: frame.oldest - 1 });
      } else if (frame.code !== "feed_number_ahead") this.#report(error);
    } else if (position && Number.isSafeInteger(frame.seq) && frame.seq > position.received) {
      // The next hello makes the server send the missing entries.
      const next = position.received + 1;
      if (frame.seq > next) return connection.end(`entry ${next} of ${frame.feed} is missing`);
      position.received = frame.seq;
      this.#enqueue(async () => {
        if (position.handled >= frame.seq) return;
        await this.#options.onEntry(frame);
        this.#markHandled(frame.feed, position, frame.seq);
      });
    }
  }

  #ended(connection, why) {
    if (connection === this.#next) this.#next = null;
    else if (connection === this.#current) this.#current = null;
    else return;
    if (connection.age() > this.#times.steady) this.#failures = 0;
    this.#report(new Error(`The connection ended: ${why}.`));
    if (!this.#next) this.#retry();
  }

  /** Has the page load the state of these feeds, which continue after the given numbers. */
  #reload(feeds) {
    const positions = Object.entries(feeds).map(([feed, received]) => [feed, { received }]);
    if (!positions.length) return;
    for (const [feed, position] of positions) this.#positions.set(feed, position);
    this.#enqueue(async () => {
      await this.#options.onReload?.(Object.keys(feeds));
      for (const [feed, position] of positions)
        this.#markHandled(feed, position, feeds[feed], true);
    });
  }

  #enqueue(task) {
    const epoch = this.#epoch;
    this.#queue = this.#queue.then(async () => {
      if (epoch !== this.#epoch) return;
      try {
        await task();
      } catch (error) {
        if (epoch === this.#epoch) this.#handlerFailed(error);
      }
    });
  }

  /** Ends the connections, so that the next hello makes the server send unhandled entries again. */
  #handlerFailed(error) {
    this.#forgetUnhandled();
    this.#report(error);
    this.#next?.end("the handler failed");
    this.#current?.end("the handler failed");
  }

  #forgetUnhandled() {
    this.#epoch++;
    for (const [feed, position] of this.#positions) {
      if (position.handled === undefined) this.#positions.delete(feed);
      else position.received = position.handled;
    }
  }

  #key() {
    return `${this.#options.name}:${this.#user}`;
  }

  #stored() {
    try {
      const stored = JSON.parse(this.#options.storage?.getItem(this.#key()) ?? "{}");
      const isNumber = ([, n]) => Number.isSafeInteger(n) && n >= 0;
      return new Map(Object.entries(stored ?? {}).filter(isNumber));
    } catch (error) {
      this.#report(error);
      return new Map();
    }
  }

  /** Restores the stored positions of the user, whom the ticket names. */
  #restore(user) {
    if (this.#user === undefined) {
      this.#user = user;
      for (const [feed, n] of this.#stored())
        this.#positions.set(feed, { received: n, handled: n });
    } else if (this.#user !== user) {
      const text = "Another user has signed in: close this client and create a new one.";
      throw Object.assign(new Error(text), { status: 403 });
    }
  }

  /**
   * Stores the number of an entry that the handler is done with. A page that is closed before this
   * gets the entry again. Another tab's higher number stays, unless the page has just loaded the
   * state (`anew`).
   */
  #markHandled(feed, position, seq, anew = false) {
    position.handled = seq;
    position.received = Math.max(position.received, seq);
    if (!this.#options.storage) return;
    const stored = this.#stored();
    if (!anew && stored.get(feed) >= seq) return;
    try {
      const numbers = Object.fromEntries(stored.set(feed, seq));
      this.#options.storage.setItem(this.#key(), JSON.stringify(numbers));
    } catch (error) {
      this.#report(error);
    }
  }

  /** Connects or pings at once, when the computer wakes up or the network is back. */
  #check() {
    if (this.#current) this.#current.ping();
    else this.#connect();
  }

  #end(state) {
    this.#running = false;
    clearTimeout(this.#timer);
    globalThis.removeEventListener?.("online", this.#onOnline);
    globalThis.document?.removeEventListener("visibilitychange", this.#onVisible);
    const connections = [this.#next, this.#current];
    [this.#next, this.#current] = [null, null];
    for (const connection of connections) connection?.end("closed");
    this.#forgetUnhandled();
    this.#setState(state);
  }

  #setState(state) {
    this.#call(this.#options.onState, state);
  }

  #report(error) {
    this.#call(this.#options.onError, error);
  }

  /** Runs the callback as a microtask, so that an error in it does not disturb the client. */
  #call(callback, value) {
    if (callback) queueMicrotask(() => callback(value));
  }
}

/** One socket. Says hello, checks that the server is still there, and reports its end once. */
class Connection {
  #socket;
  #timer;
  #on;
  #times;
  #welcomedAt;
  #pinged = false;
  /** The last number of each feed, which the welcome names. */
  last;

  /** `after` has the number of the last entry that arrived, for each feed. `on` has callbacks. */
  constructor(url, after, times, on) {
    Object.assign(this, { after });
    [this.#on, this.#times] = [on, times];
    this.#socket = new WebSocket(url);
    this.#socket.onopen = () => this.#send({ action: "hello", after });
    this.#socket.onmessage = ({ data }) => this.#receive(data);
    this.#socket.onclose = ({ code }) => this.end(`closed with ${code}`);
    this.#schedule(times.connect, () => this.end("no welcome in time"));
  }

  /** Checks whether the server is still there. */
  ping() {
    if (this.#pinged || this.#welcomedAt === undefined) return;
    this.#pinged = true;
    this.#send({ action: "ping" });
    // If the other end is gone, the socket itself may not report that for a long time.
    this.#schedule(this.#times.pong, () => this.end("no pong in time"));
  }

  /** Milliseconds since the welcome. */
  age() {
    return this.#welcomedAt === undefined ? 0 : Date.now() - this.#welcomedAt;
  }

  end(why) {
    if (!this.#on) return;
    const { ended } = this.#on;
    this.#on = null;
    clearTimeout(this.#timer);
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    ended(this, why);
  }

  #receive(data) {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return this.end("a frame was not JSON");
    }
    if (frame.type === "welcome") {
      // The welcome can come twice, like any frame. Only the first one counts.
      if (this.#welcomedAt !== undefined) return;
      this.#welcomedAt = Date.now();
      this.last = frame.feeds;
      this.#on.welcome(this, frame);
    } else if (frame.requestId) {
      // API Gateway sends this when a function failed, perhaps before it had answered our hello.
      return this.end(frame.message);
    } else {
      this.#on.frame(this, frame);
    }
    if (!this.#on || this.#welcomedAt === undefined) return;
    this.#pinged = false;
    if (this.#on.behind(this))
      this.#schedule(this.#times.connect, () => this.end("missed entries do not come"));
    else this.#schedule(this.#times.ping, () => this.ping());
  }

  #send(message) {
    // A socket that is closing can't send. It will report its end.
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #schedule(delay, task) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(task, delay);
  }
}
