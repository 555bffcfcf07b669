// The pages' one script: passkey ceremonies, calls to the API, and what each page does with them.
// Text from anywhere reaches the page as text nodes only; nothing here parses markup.

const REQUEST_TIMEOUT_MS = 20_000;
const SWAP_MS = 500;
const SIGNALS = ["signalUnknownCredential", "signalAllAcceptedCredentials", "signalCurrentUserDetails"];

const WORDS = {
  NotAllowedError: "That was cancelled or took too long. Nothing has changed; try again when you are ready.",
  InvalidStateError: "This device already has a passkey for this account.",
  SecurityError:
    "Passkeys work only at this service’s own address. Check the address bar, and open the page from there.",
  NotSupportedError: "This device cannot make the kind of passkey needed here. Try another device or password manager.",
  ConstraintError:
    "A passkey needs a screen lock, and this device has none. Set up a PIN first, or use another device.",
  AbortError: "The request to your device was stopped. Please try again.",
};

// The refusals that are about one field without naming it.
const FIELDS = { invalid_address: "email" };

// A refusal by the service. Its `detail` is a sentence written to be shown (RFC 9457).
class Problem extends Error {
  constructor(status, body) {
    super(body?.detail || `The service gave an unexpected answer (${status}). Please try again in a minute.`);
    const implied = FIELDS[body?.code];
    const fields = body?.errors ?? (implied ? [{ field: implied, message: this.message }] : []);
    Object.assign(this, { code: body?.code, fields });
  }
}

class Unreachable extends Error {}

// Browsers do not tell apart that somebody cancelled, waited too long, or has no passkey there.
class NoPasskeyUsed extends Error {
  message = "No passkey was used: the request was cancelled, took too long, or found none on this device.";
}

// The person said no in a dialog of ours: there is nothing to tell them.
class Declined extends Error {}

const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const button = (action, root = document) => one(`[data-action="${action}"]`, root);
const regionOf = (element) => one("[data-message]", element.closest("form, section, dialog, [data-codes]"));

// A page that is being left stays busy: what would follow a navigation never happens.
function leaveFor(path) {
  location.assign(path);
  return new Promise(() => {});
}

// One-time links carry their token in the fragment. It leaves the address bar, and with it the history
// and anything that copies the address, as soon as it is read.
function takeFragment() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  if (location.hash) history.replaceState(history.state, "", location.pathname + location.search);
  return fragment;
}

async function request(method, path, body) {
  const options = { method, redirect: "error", signal: AbortSignal.timeout?.(REQUEST_TIMEOUT_MS) };
  if (body !== undefined) {
    Object.assign(options, { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch (cause) {
    throw new Unreachable("The service could not be reached. Check your connection and try again.", { cause });
  }
  // A proxy in between may answer with a page of its own instead of JSON.
  const answer = response.status === 204 ? {} : await response.json().catch(() => null);
  relaySignals(answer?.signals ?? [answer?.signal]);
  if (!response.ok || !answer) throw new Problem(response.status, answer);
  return answer;
}

// Tells the password manager what the service knows now (WebAuthn §5.1.10). A favour, never a condition.
function relaySignals(signals) {
  for (const signal of signals) {
    if (!SIGNALS.includes(signal?.method)) continue;
    window.PublicKeyCredential?.[signal.method]?.(signal.options).catch(() => {});
  }
}

const isSignedOut = (refusal) => refusal.code === "not_signed_in";

// A request by somebody signed in. A 401 may only mean that another tab swapped the token a moment ago, and that
// the new one is still on its way to this browser: so it is tried once more, after a moment, before it is believed.
async function requestSignedIn(method, path, body) {
  try {
    return await request(method, path, body);
  } catch (refusal) {
    if (!isSignedOut(refusal)) throw refusal;
    await new Promise((resolve) => setTimeout(resolve, SWAP_MS));
    return request(method, path, body);
  }
}

// Where nobody is signed in any more, leads to where that can be changed.
async function call(method, path, body) {
  try {
    return await requestFreshly(method, path, body);
  } catch (refusal) {
    if (!isSignedOut(refusal)) throw refusal;
    return leaveFor(`/sign-in?return_to=${encodeURIComponent(location.pathname)}`);
  }
}

// Asks for a step-up where one is due, and then carries on.
async function requestFreshly(method, path, body) {
  try {
    return await requestSignedIn(method, path, body);
  } catch (refusal) {
    if (refusal.code !== "step_up_required") throw refusal;
    await stepUp();
    return requestSignedIn(method, path, body);
  }
}

// The dialog explains why the device asks again, and its button is the gesture that some browsers demand.
async function stepUp() {
  if (!hasPasskey()) return stepUpElsewhere();
  if (!(await ask(one('[data-dialog="step-up"]')))) throw new Declined();
  const options = await requestSignedIn("POST", "/api/auth/reauthentication/options", {});
  await requestSignedIn("POST", "/api/auth/reauthentication", { credential: await getCredential(options) });
  showUses().catch(() => {});
}

const hasPasskey = () => Boolean(one('[data-list="passkeys"] > [data-usable]'));

// Without a passkey an outside account vouches for the person, one that is still linked. The page is left for that.
async function stepUpElsewhere() {
  const dialog = one('[data-dialog="step-up-elsewhere"]');
  for (const way of all("[data-way]", dialog)) {
    way.hidden = !one(`[data-list="identities"] > [data-provider="${way.dataset.way}"]`);
  }
  const path = await choose(dialog);
  if (path === "no") throw new Declined();
  await leaveFor((await requestSignedIn("POST", path, {})).location);
}

// A step-up is a use of a passkey, and the list on the page tells when each was used.
async function showUses() {
  const { items } = await request("GET", "/api/auth/credentials");
  for (const { id, last_used_at: usedAt } of items) {
    const place = one(`[data-list="passkeys"] [data-id="${id}"] [data-used]`);
    if (!place || !usedAt) continue;
    const time = document.createElement("time");
    place.replaceChildren("Last used ", time);
    showMoment(time, usedAt);
  }
}

function fromBase64url(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
}

function toBase64url(buffer) {
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const withBytes = (descriptors = []) => descriptors.map((it) => ({ ...it, id: fromBase64url(it.id) }));

function creationOptions(json) {
  if (PublicKeyCredential.parseCreationOptionsFromJSON) return PublicKeyCredential.parseCreationOptionsFromJSON(json);
  const { challenge, user, excludeCredentials } = json;
  return {
    ...json,
    challenge: fromBase64url(challenge),
    user: { ...user, id: fromBase64url(user.id) },
    excludeCredentials: withBytes(excludeCredentials),
  };
}

function requestOptions(json) {
  if (PublicKeyCredential.parseRequestOptionsFromJSON) return PublicKeyCredential.parseRequestOptionsFromJSON(json);
  return { ...json, challenge: fromBase64url(json.challenge), allowCredentials: withBytes(json.allowCredentials) };
}

// toJSON is missing in older browsers, and throws where a password manager puts an object of its own in place.
function credentialToJSON(credential) {
  try {
    return credential.toJSON();
  } catch {
    const { id, rawId, type, authenticatorAttachment, response } = credential;
    const json = { id, rawId: toBase64url(rawId), type, response: {}, clientExtensionResults: {} };
    if (authenticatorAttachment) json.authenticatorAttachment = authenticatorAttachment;
    for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (response[part]) json.response[part] = toBase64url(response[part]);
    }
    if (response.getTransports) json.response.transports = response.getTransports();
    return json;
  }
}

async function createCredential(json) {
  return credentialToJSON(await navigator.credentials.create({ publicKey: creationOptions(json) }));
}

async function getCredential(json, how = {}) {
  try {
    return credentialToJSON(await navigator.credentials.get({ publicKey: requestOptions(json), ...how }));
  } catch (cause) {
    throw cause.name === "NotAllowedError" ? new NoPasskeyUsed() : cause;
  }
}

function say(region, text, tone = "calm", more = []) {
  region.dataset.tone = tone;
  region.replaceChildren(text, ...more);
  const toast = region.closest(".toast");
  if (!toast) return;
  toast.dataset.tone = tone;
  toast.classList.toggle("shown", Boolean(text));
  button("dismiss", toast).hidden = !text;
}

const listItem = (text) => Object.assign(document.createElement("li"), { textContent: text });

function link(words, path) {
  const anchor = document.createElement("a");
  anchor.href = path;
  anchor.textContent = words;
  return anchor;
}

function report(region, error) {
  if (error instanceof Declined) return;
  const told = [Problem, Unreachable, NoPasskeyUsed].some((kind) => error instanceof kind);
  const text = told ? error.message : (WORDS[error.name] ?? "Your browser could not finish this. Please try again.");
  const foreign = error instanceof NoPasskeyUsed || error.code === "assertion_rejected";
  say(region, text, "error", foreign && document.body.dataset.page === "sign-in" ? otherWays() : []);
}

function otherWays() {
  const [signUp, recovery] = [link("create an account", "/sign-up"), link("use a recovery code", "/recovery")];
  return [" You can also ", signUp, " or ", recovery, "."];
}

// Shows what the service says about single fields beside them, and puts the cursor into the first.
function reportFields(form, error) {
  const faults = (error.fields ?? []).filter(({ field }) => form.elements.namedItem(field));
  for (const { field, message } of faults) {
    const input = form.elements.namedItem(field);
    input.setAttribute("aria-invalid", "true");
    one(`#${input.id}-error`).textContent = message;
  }
  one("[aria-invalid]", form)?.focus();
  return faults.length > 0;
}

function clearFields(form) {
  for (const input of all("[aria-invalid]", form)) {
    input.removeAttribute("aria-invalid");
    one(`#${input.id}-error`).textContent = "";
  }
}

let working = false;

// Does one thing at a time: a browser allows one ceremony, and no click is sent twice. The button stays
// focusable while it is busy, so that the keyboard does not lose its place.
async function run(control, work, region = regionOf(control)) {
  if (working) return;
  working = true;
  control.setAttribute("aria-busy", "true");
  say(region, "");
  if (control.form) clearFields(control.form);
  try {
    await work();
  } catch (error) {
    if (!control.form || !reportFields(control.form, error)) report(region, error);
  } finally {
    working = false;
    control.removeAttribute("aria-busy");
  }
}

function onSubmit(form, work, region) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run(one('[type="submit"]', form), work, region);
  });
}

// Gives the value of the button that closed the dialog; Escape says no.
function choose(dialog) {
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true });
  });
}

const ask = async (dialog) => (await choose(dialog)) === "yes";

function confirmed(region, title, text, verb) {
  say(region, "");
  const dialog = one('[data-dialog="confirm"]');
  one("h2", dialog).textContent = title;
  one("p", dialog).textContent = text;
  one("[data-confirm]", dialog).textContent = verb;
  return ask(dialog);
}

const FIRST_STEPS = ["details", "code"];

function showStep(name) {
  for (const step of all("[data-step]")) step.hidden = step.dataset.step !== name;
  one("[data-below]").hidden = !FIRST_STEPS.includes(name);
  one(`[data-step="${name}"] h1`).focus();
}

// The server writes times in UTC; whoever reads them here gets their own zone and language.
function localTimes(root = document) {
  const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
  for (const time of all("time[datetime]", root)) {
    const format = "day" in time.dataset ? day : moment;
    time.textContent = format.format(new Date(time.dateTime));
  }
}

function showMoment(time, value) {
  time.dateTime = value;
  localTimes(time.parentElement);
}

// The codes live in this closure and on the screen, and nowhere else.
function showCodes(panel, codes) {
  for (const list of [one("[data-code-list]", panel), one("[data-print-sheet] ol")]) {
    list.replaceChildren(...codes.map(listItem));
  }
  one("[data-print-address]").textContent = location.origin;
  one("[data-print-date]").textContent = new Date().toLocaleDateString(undefined, { dateStyle: "long" });
  document.body.classList.add("prints-codes");
  const region = one("[data-message]", panel);
  const text = codesAsText(panel.dataset.service, codes);
  button("print-codes", panel).onclick = () => window.print();
  button("download-codes", panel).onclick = () => download(`recovery-codes-${location.hostname}.txt`, text);
  button("copy-codes", panel).onclick = () =>
    navigator.clipboard.writeText(codes.join("\n")).then(
      () => say(region, "Copied. Paste them somewhere safe, such as your password manager."),
      () => say(region, "Your browser did not allow copying. Download or print them instead.", "error"),
    );
}

function forgetCodes() {
  document.body.classList.remove("prints-codes");
  for (const list of all("[data-code-list], [data-print-sheet] ol")) list.replaceChildren();
}

function codesAsText(service, codes) {
  const head = `Recovery codes for ${service}\n${location.origin}, ${new Date().toISOString().slice(0, 10)}\n`;
  return `${head}\nEach code works once, at ${location.origin}/recovery\n\n${codes.join("\n")}\n`;
}

function download(name, text) {
  const anchor = link("", URL.createObjectURL(new Blob([text], { type: "text/plain" })));
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(anchor.href), 10_000);
}

// Keeps a request pending behind the e-mail field, where the browser lists passkeys, and never lets its challenge
// go stale: it is renewed at four fifths of its life, but not for a tab that nobody is looking at.
function offerAutofill(finish) {
  let controller = new AbortController();
  let timer, begun, pending;

  async function wait(signal) {
    const options = await request("POST", "/api/auth/authentication/options", {});
    if (signal.aborted) return;
    timer = setTimeout(renew, options.timeout * 0.8);
    const credential = await getCredential(options, { mediation: "conditional", signal });
    clearTimeout(timer);
    await finish(credential);
  }

  function start() {
    controller = new AbortController();
    begun = Date.now();
    const { signal } = controller;
    // An offer that nobody asked for fails in silence, and one that ended at once would do so again.
    const offerAgain = () => {
      if (!signal.aborted && Date.now() - begun > 2000) start();
    };
    pending = wait(signal).then(offerAgain, offerAgain);
  }

  async function stop() {
    clearTimeout(timer);
    controller.abort();
    await pending;
  }

  async function renew() {
    await stop();
    if (!document.hidden && !working) start();
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && controller.signal.aborted && !working) start();
  });
  return { start, stop };
}

async function signInPage() {
  const available = PublicKeyCredential.isConditionalMediationAvailable?.();
  const form = one("form");
  const submit = one('[type="submit"]', form);
  const finish = async (credential) => {
    await request("POST", "/api/auth/authentication", { credential });
    await leaveFor(form.dataset.returnTo);
  };
  const autofill = offerAutofill((credential) => run(submit, () => finish(credential)));

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (working) return;
    await run(submit, async () => {
      await autofill.stop(); // a browser refuses a second request while one is pending
      await finish(await getCredential(await request("POST", "/api/auth/authentication/options", {})));
    });
    if (await available) autofill.start();
  });
  if (await available) autofill.start();
}

function signUpPage() {
  const form = one('[data-form="sign-up"]');
  const fragment = takeFragment();
  // Where registration is closed there is no form.
  if (form) signUpForm(form, fragment.get("invitation") ?? undefined, fragment.get("email"));
  const retry = button("retry-codes");
  retry.addEventListener("click", () => run(retry, offerCodes));
  const signOut = button("sign-out-first");
  signOut?.addEventListener("click", () => run(signOut, async () => {
    await request("DELETE", "/api/auth/session");
    showStep("details");
  }));
}

function notAllowedPage() {
  const signOut = button("sign-out");
  signOut.addEventListener("click", () => run(signOut, async () => {
    await request("DELETE", "/api/auth/session");
    await leaveFor(signOut.dataset.signIn);
  }));
}

function signUpForm(form, invitation, email) {
  if (invitation) welcomeInvited(form, email);
  onSubmit(form, async () => {
    const person = { email: form.elements.email.value.trim(), name: form.elements.name.value.trim(), invitation };
    const credential = await createCredential(await request("POST", "/api/auth/registration/options", person));
    await request("POST", "/api/auth/registration", { credential });
    await offerCodes();
  });
}

function welcomeInvited(form, email) {
  const lede = one("[data-invited]", form);
  if (lede) lede.textContent = lede.dataset.invited;
  if (!email) return;
  Object.assign(form.elements.email, { value: email, readOnly: true });
  one("[data-invited-email]", form).hidden = false;
}

// The account exists by now, so a failure here must not look like a failed sign-up.
async function offerCodes() {
  try {
    const { codes } = await request("POST", "/api/auth/recovery-codes", {});
    showCodes(one("[data-codes]"), codes);
    showStep("codes");
  } catch (error) {
    showStep("codes-failed");
    report(regionOf(button("retry-codes")), error);
  }
}

function recoveryPage() {
  const form = one('[data-form="recovery"]');
  const code = takeFragment().get("code");
  if (code) form.elements.code.value = code;

  onSubmit(form, async () => {
    const { user } = await request("POST", "/api/auth/recovery", { code: form.elements.code.value.trim() });
    one("[data-person]").textContent = user.email ?? user.name;
    form.reset();
    showStep("enrol");
  });
  const enrol = button("enrol");
  enrol.addEventListener("click", () => run(enrol, () => enrolPasskey().catch((refusal) => {
    if (!isSignedOut(refusal)) throw refusal;
    showStep("code");
    say(regionOf(form), "Too much time has passed since the code was entered. Please enter another one.", "error");
  })));
  const stop = button("stop");
  stop.addEventListener("click", () => run(stop, async () => {
    await request("DELETE", "/api/auth/session");
    await leaveFor("/sign-in");
  }));
}

async function enrolPasskey() {
  const credential = await createCredential(await request("POST", "/api/auth/credentials/options", {}));
  const enrolled = (await request("POST", "/api/auth/credentials", { credential })).credential;
  one("[data-new-passkey]").textContent = enrolled.name;
  showStep("done");
  await showOldWays(enrolled).catch((error) => report(regionOf(one("[data-old-list]")), error));
}

async function showOldWays(enrolled) {
  const lists = ["/api/auth/credentials", "/api/auth/sessions"].map((path) => call("GET", path));
  const [credentials, sessions] = await Promise.all(lists);
  const passkeys = credentials.items.filter(({ id }) => id !== enrolled.id).map(({ name }) => `Passkey “${name}”`);
  const others = sessions.items.filter(({ current }) => !current).map(({ device }) => `Session on ${device}`);
  const old = [...passkeys, ...others];
  one("[data-old-list]").replaceChildren(...old.map(listItem));
  one("[data-old-ways]").hidden = old.length === 0;
}

function accountPage() {
  const region = one(".toast [data-message]");
  const dismiss = button("dismiss");
  dismiss.addEventListener("click", () => {
    say(region, "");
    one("main").focus();
  });
  const signOut = button("sign-out");
  signOut.addEventListener("click", () => run(signOut, async () => {
    await call("DELETE", "/api/auth/session");
    await leaveFor("/sign-in");
  }, region));
  for (const closer of all('dialog [data-action="close"]')) {
    closer.addEventListener("click", () => closer.closest("dialog").close());
  }
  // What the address tells was told by the page, and is not true for ever.
  history.replaceState(history.state, "", location.pathname + location.hash);
  profile(region);
  passkeys(region);
  linkedAccounts(region);
  sessions(region);
  recoveryCodes(region);
}

function profile(region) {
  const form = one('[data-form="profile"]');
  onSubmit(form, async () => {
    const changes = { name: form.elements.name.value.trim(), locale: form.elements.locale.value || null };
    const { user } = await call("PATCH", "/api/users/me", changes);
    one("h1").textContent = user.name;
    say(region, "Profile saved.");
  }, region);
}

function passkeys(region) {
  const list = one('[data-list="passkeys"]');
  const add = button("add");
  add.addEventListener("click", () => run(add, async () => {
    const credential = await createCredential(await call("POST", "/api/auth/credentials/options", {}));
    const added = (await call("POST", "/api/auth/credentials", { credential })).credential;
    list.append(passkeyRow(added));
    hintAtPasskeys();
    say(region, `Passkey added: ${added.name}.`);
  }, region));
  const renameIn = renameDialog(region);
  list.addEventListener("click", ({ target }) => {
    const control = target.closest("[data-action]");
    if (control?.dataset.action === "rename") renameIn(control.closest("li"));
    if (control?.dataset.action === "remove") removePasskey(control, region);
  });
}

function hintAtPasskeys() {
  one("[data-passkey-hint]").hidden = hasPasskey();
}

function passkeyRow({ id, name, created_at: createdAt, backed_up: backedUp }) {
  const row = one('[data-template="passkey"]').content.firstElementChild.cloneNode(true);
  row.dataset.id = id;
  nameRow(row, name);
  showMoment(one("time", row), createdAt);
  one("[data-synced]", row).hidden = !backedUp;
  one("[data-unsynced]", row).hidden = backedUp;
  enable(row);
  return row;
}

function nameRow(row, name) {
  for (const place of all("[data-name]", row)) place.textContent = name;
}

const nameOf = (row) => one("[data-name]", row).textContent;

function renameDialog(region) {
  const dialog = one('[data-dialog="rename"]');
  const form = one("form", dialog);
  let row;
  onSubmit(form, async () => {
    const changes = { name: form.elements.name.value.trim() };
    const { credential } = await call("PATCH", `/api/auth/credentials/${row.dataset.id}`, changes);
    nameRow(row, credential.name);
    dialog.close();
    say(region, "Passkey renamed.");
  });
  return (chosen) => {
    row = chosen;
    clearFields(form);
    say(regionOf(form), "");
    form.elements.name.value = nameOf(row);
    dialog.showModal();
    form.elements.name.select();
  };
}

async function removePasskey(control, region) {
  const row = control.closest("li");
  const text =
    "It will no longer open your account, on any device that shares it. " +
    "The password manager that keeps it is asked to forget it.";
  if (!(await confirmed(region, `Remove “${nameOf(row)}”?`, text, "Remove passkey"))) return;
  run(control, async () => {
    await call("DELETE", `/api/auth/credentials/${row.dataset.id}`);
    dropRow(row, "#passkeys-title");
    hintAtPasskeys();
    say(region, "Passkey removed.");
  }, region);
}

// The button that had the focus goes with its row; the heading above takes it, and reading carries on there.
function dropRow(row, heading) {
  row.remove();
  one(heading).focus();
}

function linkedAccounts(region) {
  for (const control of all('[data-action="link"]')) {
    control.addEventListener("click", () => run(control, async () => {
      await leaveFor((await call("POST", control.dataset.path, {})).location);
    }, region));
  }
  one('[data-list="identities"]')?.addEventListener("click", ({ target }) => {
    const control = target.closest('[data-action="unlink"]');
    if (control) unlink(control, region);
  });
}

async function unlink(control, region) {
  const row = control.closest("li");
  const label = nameOf(row);
  const text = `It will no longer sign you in here. Your account at ${label} itself stays as it is.`;
  if (!(await confirmed(region, `Unlink ${label}?`, text, "Unlink"))) return;
  run(control, async () => {
    await call("DELETE", `/api/oauth/accounts/${row.dataset.id}`);
    dropRow(row, "#linked-accounts-title");
    say(region, `Unlinked: ${label}.`);
  }, region);
}

function sessions(region) {
  const list = one('[data-list="sessions"]');
  const endOthers = button("end-others");
  const elsewhere = () => all("li:not([data-current])", list);
  const tidy = () => {
    if (endOthers) one("[data-others]").hidden = elsewhere().length === 0;
  };

  list.addEventListener("click", ({ target }) => {
    const control = target.closest('[data-action="end"]');
    if (!control) return;
    run(control, async () => {
      const row = control.closest("li");
      await call("DELETE", `/api/auth/sessions/${row.dataset.id}`);
      say(region, `Session ended: ${nameOf(row)}.`);
      dropRow(row, "#sessions-title");
      tidy();
    }, region);
  });
  endOthers?.addEventListener("click", async () => {
    const text = "Every other browser that is signed in as you has to sign in again. This one stays.";
    if (!(await confirmed(region, "End all other sessions?", text, "End them all"))) return;
    run(endOthers, async () => {
      await call("DELETE", "/api/auth/sessions");
      for (const row of elsewhere()) row.remove();
      one("#sessions-title").focus();
      tidy();
      say(region, "All other sessions are ended.");
    }, region);
  });
}

function recoveryCodes(region) {
  const renew = button("renew-codes");
  const dialog = one('[data-dialog="codes"]');
  dialog.addEventListener("close", forgetCodes);
  renew.addEventListener("click", async () => {
    const text = "Any codes that you have now stop working at once. The new ones are shown a single time.";
    if (!(await confirmed(region, "Make new recovery codes?", text, "Make new codes"))) return;
    run(renew, async () => {
      const { codes } = await call("POST", "/api/auth/recovery-codes", {});
      one("[data-remaining]").textContent = `${codes.length} of ${codes.length} left`;
      const made = one("[data-codes-made]");
      made.hidden = false;
      showMoment(one("time", made), new Date().toISOString());
      showCodes(one("[data-codes]", dialog), codes);
      dialog.showModal();
    }, region);
  });
}

// Buttons are born disabled, so that before the script is ready, or without it, no form sends its fields away.
function enable(root = document) {
  for (const control of all("button:disabled", root)) control.disabled = false;
}

// Without passkeys the account can still be read and its profile changed; the other pages cannot work.
function explainMissingPasskeys() {
  const text = window.isSecureContext
    ? "This browser does not support passkeys. Open this page in a current browser, or on another device."
    : "Passkeys work only over a secure connection. Open this page at its https address.";
  const others = one("[data-elsewhere]") ? [" Or continue with one of the accounts below."] : [];
  const notice = one("[data-no-passkeys]");
  if (notice) Object.assign(notice, { textContent: text, hidden: false });
  else for (const region of all("[data-message]")) say(region, text, "error", others);
}

const PAGES = {
  "sign-in": signInPage,
  "sign-up": signUpPage,
  recovery: recoveryPage,
  account: accountPage,
  "not-allowed": notAllowedPage,
};
const WITHOUT_PASSKEYS = new Set(["account", "not-allowed"]);

function start() {
  const { page } = document.body.dataset;
  const able = Boolean(window.PublicKeyCredential && navigator.credentials);
  localTimes();
  if (!able && page !== "not-allowed") explainMissingPasskeys();
  if (!able && !WITHOUT_PASSKEYS.has(page)) return;
  enable();
  const add = button("add");
  if (!able && add) add.disabled = true;
  PAGES[page]?.();
}

// A page brought back from the browser's memory may show an account that was signed out since.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
start();
