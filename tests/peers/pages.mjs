// The two pages that a person sees at the provider: one form each, no script, no style.

const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export async function showOrTake(provider, request, response) {
  const interaction = await provider.interactionDetails(request, response);
  if (request.method !== 'POST') {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' });
    response.end(interaction.prompt.name === 'login' ? loginPage() : consentPage(interaction));
    return;
  }
  const form = await readForm(request);
  const result = interaction.prompt.name === 'login'
    ? { login: { accountId: form.get('login') } }
    : await consent(provider, interaction, form.get('consent'));
  await provider.interactionFinished(request, response, result);
}

function loginPage() {
  return page('Sign in', `
    <label>Login name <input name="login" autocomplete="off" required autofocus></label>
    <button>Continue</button>`);
}

function consentPage({ params, session }) {
  return page('Allow access', `
    <p>${escape(params.client_id)} wants to know who you are, ${escape(session.accountId)}.</p>
    <button name="consent" value="allow">Allow</button>
    <button name="consent" value="deny">Deny</button>`);
}

function page(title, form) {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title} – test provider</title>
    <main><h1>${title}</h1><form method="post">${form}</form></main></html>`;
}

function escape(text) {
  return String(text).replace(/[&<>"']/g, (character) => ESCAPES[character]);
}

async function readForm(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

async function consent(provider, { grantId, params, prompt, session }, choice) {
  if (choice !== 'allow') {
    return { error: 'access_denied', error_description: 'the person said no' };
  }
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  const { missingOIDCScope, missingOIDCClaims } = prompt.details;
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
  if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims);
  return { consent: { grantId: await grant.save() } };
}
