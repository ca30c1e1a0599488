/**
 * Live entries in a browser page: every entry of the user's feeds, in order, and each once. See
 * docs/live-client.md.
 *
 *     import { Live, tickets } from "./live.js";
 *     const live = new Live({ ticket: tickets(api, () => accessToken), onReload: loadOrders, onEntry: show });
 *     live.start();
 *
 * @typedef {{type: string, feed: string, seq: number, id: string, at: string, data: any}} Entry
 *   `seq` counts 1, 2, 3, ... in each feed; `data` is the order's public shape, or the message.
 *
 * @typedef {object} Options @property {() => Promise<{url: string, user_id: string}>} ticket Asks
 * for a ticket: {@link tickets}, or a function of your own. If it throws an error with a `status`
 * of 401 or 403, or of another 4xx that trying again does not cure, live stops; any other error is
 * tried again, after `retryAfter` seconds where the error has them. @property {(entry: Entry) =>
 * unknown} onEntry Takes an entry. The next one waits for its promise; if it throws, the entry
 * comes again, later. @property {(feeds: string[]) => unknown} [onReload] Load your state anew:
 * what these feeds held so far does not come as entries, because nothing is known of them here (the
 * first start), it is too old to be kept, or the server was set up anew. Entries wait for its
 * promise, so that none falls between your load and them. @property {(state: State) => unknown}
 * [onState] Is told what goes on, for a light in a corner of the page. @property {(error: Error) =>
 * unknown} [onError] Is told what went wrong. Nothing needs to be done about it. @property
 * {Pick<Storage, "getItem" | "setItem">} [storage] Where the numbers of the entries you have taken
 * are kept. They belong where your handler keeps what it makes of the entries: if that is lost with
 * the page, keep the numbers in memory, too, which is the default; if it is in `localStorage`, say
 * `localStorage`. @property {string} [name] Tells several users of one storage apart; "live" unless
 * given. @property {Partial<typeof times>} [times] Other times than the usual ones.
 *
 * @typedef {{name: "connecting" | "open" | "closed"} | {name: "waiting", delay: number} | {name:
 * "stopped", error: Error}} State `stopped`: ask the user to sign in (error.status 401), or say
 * that they may not be here (403); then `start()` again.
 */

/**
 * When things are due, in milliseconds. API Gateway closes a socket after 10 minutes without a
 * message, and after 2 hours.
 */
export const times = {
  /** A reconnect waits for a random time below this, which doubles with each failure ("full jitter") ... */
  retry: 1_000,
  /** ... up to this. */
  retryMost: 60_000,
  /** A socket that lasted this long was not a failure. */
  steady: 30_000,
  /** From asking for a ticket to its answer, from there to the welcome, and from one entry that was missed to the next. */
  connect: 20_000,
  /** Silence after which the server is asked whether it is there ... */
  ping: 240_000,
  /** ... and how long it may take to say so. */
  pong: 15_000,
  /** Age at which a socket is replaced; up to a tenth earlier, so that many pages don't do it at once. */
  renew: 6_600_000,
};

/** A ticket was refused; `status` and `retryAfter` (seconds) are the answer's, `code` the problem's. */
export class TicketError extends Error {
  constructor(status, { code, detail } = {}, retryAfter) {
    super(detail ?? `The ticket was refused with ${status}.`);
    Object.assign(this, { name: "TicketError", status, code, retryAfter });
  }
}

/**
 * Asks `POST {api}/live/tickets` for tickets.
 *
 * @param {string} api The API's address. @param {(renew: boolean) => string | Promise<string>}
 * token Gives the access token; a fresh one when `renew` says that the last was refused. @returns
 * {Options["ticket"]}
 */
export function tickets(api, token) {
  const ask = async (renew) => {
    const headers = { authorization: `Bearer ${await token(renew)}` };
    const answer = await fetch(`${api.replace(/\/$/, "")}/live/tickets`, { method: "POST", headers });
    const body = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new TicketError(answer.status, body, Number(answer.headers.get("retry-after")) || undefined);
    return body;
  };
  return () => ask(false).catch((error) => (error.status === 401 ? ask(true) : Promise.reject(error)));
}

export class Live {
  #options;
  #times;
  /** The socket that was welcomed, and the one that is on its way to be; at the end of an old one's life there are both. */
  #current = null;
  #next = null;
  /** The next connect, for whatever reason. */
  #timer;
  #failures = 0;
  #running = false;
  #user;
  /** By feed: `got`, the number of the last entry that came here, and `took`, of the last one that the handler took. */
  #places = new Map();
  /** What is to be handed over, in order. An older epoch's is not: it comes again. */
  #queue = Promise.resolve();
  #epoch = 0;
  #wake = () => document.visibilityState !== "hidden" && this.#look();
  #online = () => this.#look();

  /** @param {Options} options */
  constructor(options) {
    this.#options = { name: "live", ...options };
    this.#times = { ...times, ...options.times };
  }

  /** Connects, and stays connected. */
  start() {
    if (this.#running) return;
    this.#running = true;
    this.#failures = 0;
    globalThis.addEventListener?.("online", this.#online);
    globalThis.document?.addEventListener("visibilitychange", this.#wake);
    this.#connect();
  }

  /** Ends it. When the promise is kept, no handler is at work, and none will be called. */
  async close() {
    if (this.#running) this.#end({ name: "closed" });
    await this.#queue;
  }

  async #connect() {
    if (this.#next) return;
    clearTimeout(this.#timer);
    const here = (this.#next = { end() {} });
    if (!this.#current) this.#tell({ name: "connecting" });
    try {
      const late = new Promise((_, fail) => {
        this.#timer = setTimeout(fail, this.#times.connect, new Error("There is no ticket in time."));
      });
      const { url, user_id } = await Promise.race([this.#options.ticket(), late]);
      if (this.#next !== here) return;
      clearTimeout(this.#timer);
      this.#recall(user_id);
      const after = Object.fromEntries([...this.#places].map(([feed, place]) => [feed, place.got]));
      this.#next = new Connection(url, after, this.#times, {
        welcome: (connection, frame) => this.#welcome(connection, frame),
        frame: (connection, frame) => this.#receive(connection, frame),
        over: (connection, why) => this.#over(connection, why),
        behind: ({ last }) => [...this.#places].some(([feed, place]) => place.got < last[feed]),
      });
    } catch (error) {
      if (this.#next !== here) return;
      this.#next = null;
      this.#refused(error);
    }
  }

  #refused(error) {
    const { status, retryAfter } = error;
    if (status >= 400 && status < 500 && ![408, 425, 429].includes(status)) {
      this.#end({ name: "stopped", error });
      return;
    }
    this.#report(error);
    this.#retry(retryAfter * 1000 || 0);
  }

  /** Connects again after a random while, and not before `least`. */
  #retry(least = 0) {
    const most = Math.min(this.#times.retryMost, this.#times.retry * 2 ** this.#failures++);
    const delay = least + Math.random() * most;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), delay);
    if (!this.#current) this.#tell({ name: "waiting", delay });
  }

  #welcome(connection, { user_id, feeds }) {
    if (user_id !== this.#user) return connection.end(`it is ${user_id}'s`);
    const old = this.#current;
    [this.#current, this.#next] = [connection, null];
    old?.end("replaced");
    this.#timer = setTimeout(() => this.#connect(), this.#times.renew * (1 - Math.random() / 10));
    for (const feed of this.#places.keys()) if (!(feed in feeds)) this.#places.delete(feed);
    // Those that hello did not name, and those that have not come as far as it said: this server
    // does not know of our past.
    const lost = Object.keys(feeds).filter((feed) => !(connection.after[feed] <= feeds[feed]));
    this.#reload(Object.fromEntries(lost.map((feed) => [feed, feeds[feed]])));
    this.#tell({ name: "open" });
  }

  #receive(connection, frame) {
    const place = this.#places.get(frame.feed);
    if (frame.type === "error") {
      const error = Object.assign(new Error(frame.detail), frame);
      // One that comes again has nothing to say about what came since.
      if (frame.code === "feed_number_too_old" && place) {
        if (place.got + 1 < frame.oldest) this.#reload({ [frame.feed]: frame.oldest - 1 });
      } else if (frame.code !== "feed_number_ahead") this.#report(error);
    } else if (place && Number.isSafeInteger(frame.seq) && frame.seq > place.got) {
      // What is missing comes with the next hello.
      if (frame.seq > place.got + 1) return connection.end(`entry ${place.got + 1} of ${frame.feed} is missing`);
      place.got = frame.seq;
      this.#enqueue(async () => {
        if (place.took >= frame.seq) return;
        await this.#options.onEntry(frame);
        this.#took(frame.feed, place, frame.seq);
      });
    }
  }

  #over(connection, why) {
    if (connection === this.#next) this.#next = null;
    else if (connection === this.#current) this.#current = null;
    else return;
    if (connection.lasted() > this.#times.steady) this.#failures = 0;
    this.#report(new Error(`The socket is over: ${why}.`));
    if (!this.#next) this.#retry();
  }

  /** Has the state of these feeds loaded; their entries go on after these numbers. */
  #reload(feeds) {
    const places = Object.entries(feeds).map(([feed, got]) => [feed, { got }]);
    if (!places.length) return;
    for (const [feed, place] of places) this.#places.set(feed, place);
    this.#enqueue(async () => {
      await this.#options.onReload?.(Object.keys(feeds));
      for (const [feed, place] of places) this.#took(feed, place, feeds[feed], true);
    });
  }

  #enqueue(task) {
    const epoch = this.#epoch;
    this.#queue = this.#queue.then(async () => {
      if (epoch !== this.#epoch) return;
      try {
        await task();
      } catch (error) {
        if (epoch === this.#epoch) this.#failed(error);
      }
    });
  }

  /** The handler did not take it: what it has not taken comes again, with the next hello. */
  #failed(error) {
    this.#forgetUntaken();
    this.#report(error);
    this.#next?.end("the handler failed");
    this.#current?.end("the handler failed");
  }

  #forgetUntaken() {
    this.#epoch++;
    for (const [feed, place] of this.#places) {
      if (place.took === undefined) this.#places.delete(feed);
      else place.got = place.took;
    }
  }

  #key() {
    return `${this.#options.name}:${this.#user}`;
  }

  #stored() {
    try {
      const stored = JSON.parse(this.#options.storage?.getItem(this.#key()) ?? "{}");
      return new Map(Object.entries(stored ?? {}).filter(([, n]) => Number.isSafeInteger(n) && n >= 0));
    } catch (error) {
      this.#report(error);
      return new Map();
    }
  }

  /** What was stored for the user, once it is known who that is. */
  #recall(user) {
    if (this.#user === undefined) {
      this.#user = user;
      for (const [feed, n] of this.#stored()) this.#places.set(feed, { got: n, took: n });
    } else if (this.#user !== user) {
      throw Object.assign(new Error("Someone else has signed in: close this, and make a new one."), { status: 403 });
    }
  }

  /** Stored only now, so that what a page had not taken when it died comes again. Never less than another tab has stored. */
  #took(feed, place, seq, anew = false) {
    place.took = seq;
    place.got = Math.max(place.got, seq);
    if (!this.#options.storage) return;
    const stored = this.#stored();
    if (!anew && stored.get(feed) >= seq) return;
    try {
      this.#options.storage.setItem(this.#key(), JSON.stringify(Object.fromEntries(stored.set(feed, seq))));
    } catch (error) {
      this.#report(error);
    }
  }

  /** Something changed around us: sleep is over, the network is back. */
  #look() {
    if (this.#current) this.#current.ping();
    else this.#connect();
  }

  #end(state) {
    this.#running = false;
    clearTimeout(this.#timer);
    globalThis.removeEventListener?.("online", this.#online);
    globalThis.document?.removeEventListener("visibilitychange", this.#wake);
    const connections = [this.#next, this.#current];
    [this.#next, this.#current] = [null, null];
    for (const connection of connections) connection?.end("closed");
    this.#forgetUntaken();
    this.#tell(state);
  }

  #tell(state) {
    this.#call(this.#options.onState, state);
  }

  #report(error) {
    this.#call(this.#options.onError, error);
  }

  /** What these throw is the page's own affair, and disturbs nothing here. */
  #call(callback, value) {
    if (callback) queueMicrotask(() => callback(value));
  }
}

/** One socket: says hello, sees to it that the server is there, and is over once, for whatever reason. */
class Connection {
  #socket;
  #timer;
  #on;
  #times;
  #welcomedAt;
  #pinged = false;

  constructor(url, after, times, on) {
    Object.assign(this, { after });
    [this.#on, this.#times] = [on, times];
    this.#socket = new WebSocket(url);
    this.#socket.onopen = () => this.#send({ action: "hello", after });
    this.#socket.onmessage = ({ data }) => this.#receive(data);
    this.#socket.onclose = ({ code }) => this.end(`closed with ${code}`);
    this.#due(times.connect, () => this.end("no welcome in time"));
  }

  /** Asks the server whether it is there. */
  ping() {
    if (this.#pinged || this.#welcomedAt === undefined) return;
    this.#pinged = true;
    this.#send({ action: "ping" });
    // A socket whose other end is gone says nothing, and for long: only this tells.
    this.#due(this.#times.pong, () => this.end("no pong in time"));
  }

  /** Milliseconds since the welcome. */
  lasted() {
    return this.#welcomedAt === undefined ? 0 : Date.now() - this.#welcomedAt;
  }

  end(why) {
    if (!this.#on) return;
    const { over } = this.#on;
    this.#on = null;
    clearTimeout(this.#timer);
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    over(this, why);
  }

  #receive(data) {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return this.end("it sent no JSON");
    }
    if (frame.type === "welcome") {
      // It can come twice, as any frame can. The first one counts.
      if (this.#welcomedAt !== undefined) return;
      this.#welcomedAt = Date.now();
      this.last = frame.feeds;
      this.#on.welcome(this, frame);
    } else if (frame.requestId) {
      // API Gateway's own words when the function behind it has failed: our hello may not have been
      // heard, or not to its end.
      return this.end(frame.message);
    } else {
      this.#on.frame(this, frame);
    }
    if (!this.#on || this.#welcomedAt === undefined) return;
    this.#pinged = false;
    if (this.#on.behind(this)) this.#due(this.#times.connect, () => this.end("what was missed does not come"));
    else this.#due(this.#times.ping, () => this.ping());
  }

  #send(message) {
    // A socket that is closing takes nothing, and says so itself.
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #due(after, what) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(what, after);
  }
}
