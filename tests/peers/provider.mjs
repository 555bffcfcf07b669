// The configuration of oidc-provider: what its certified defaults leave open.

import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';

import { Provider } from 'oidc-provider';

import { findAccount } from './accounts.mjs';
import { Storage } from './storage.mjs';

const COOKIE_KEYS = [randomBytes(32).toString('base64url')];
const DAY = 24 * 60 * 60;

export function newKeys() {
  const pairs = [
    ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ];
  return pairs.map(([alg, { privateKey }]) => (
    { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg }
  ));
}

export function makeProvider(issuer, keys, settings) {
  const provider = new Provider(issuer, {
    adapter: Storage,
    claims: { email: ['email', 'email_verified'], profile: ['name', 'preferred_username'] },
    clients: settings.clients.map((client) => clientMetadata(client, settings)),
    cookies: { keys: COOKIE_KEYS },
    // Tokens outlive the person's session at the provider, as they do at the large ones.
    expiresWithSession: () => false,
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: false },
    },
    findAccount,
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    // The standard wants prompt=consent for offline_access (OpenID Core section 11); GitLab, for
    // one, gives a refresh token to everybody.
    issueRefreshToken: () => true,
    jwks: { keys },
    pkce: { required: () => true },
    rotateRefreshToken: () => true,
    ttl: {
      AccessToken: settings.accessTokenSeconds,
      Grant: DAY,
      IdToken: 600,
      Interaction: 600,
      RefreshToken: DAY,
      Session: DAY,
    },
  });
  provider.on('server_error', (_ctx, error) => console.error(error));
  return provider;
}

function clientMetadata({ id, secret }, settings) {
  return {
    client_id: id,
    client_secret: secret,
    grant_types: ['authorization_code', 'refresh_token'],
    id_token_signed_response_alg: settings.algorithm,
    redirect_uris: settings.redirectUris,
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic',
  };
}
