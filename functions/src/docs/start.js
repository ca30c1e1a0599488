// Starts the page of GET /docs: Swagger UI, and the form that signs in. Tokens stay in memory, so
// closing the page signs out.
const ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "none",
  filter: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
});

const form = document.getElementById("sign-in");
const status = form.querySelector("output");
let renewal;

// The sample users, where `cargo local` has created them.
if (["localhost", "127.0.0.1"].includes(location.hostname)) {
  form.username.value = "client1";
  form.password.value = "client123";
  status.value = "Sample users: client1/client123, worker1/worker123, admin/admin123.";
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { username, password } = form;
  await signIn({ grant_type: "password", username: username.value, password: password.value });
});

// Gets a token (RFC 6749), uses it for all calls from now on, and renews it before it expires.
async function signIn(grant) {
  clearTimeout(renewal);
  const answer = await fetch("/auth/token", { method: "POST", body: new URLSearchParams(grant) });
  const body = await answer.json();
  if (!answer.ok) {
    status.value = body.error_description ?? body.detail ?? `Not signed in: ${answer.status}.`;
    return;
  }
  ui.preauthorizeApiKey("bearer", body.access_token);
  status.value = `Signed in as ${form.username.value}.`;
  const again = { grant_type: "refresh_token", refresh_token: body.refresh_token };
  renewal = setTimeout(signIn, (body.expires_in - 30) * 1000, again);
}
