// openid-client, asked over standard input: one command a line, {"command": "…", …}; one answer a line,
// {"result": …} or {"error": {…}}. Between two commands the test plays the person at the browser.
import { webcrypto } from 'node:crypto'
import { createInterface } from 'node:readline'

globalThis.crypto ??= webcrypto // Node.js 18 has it, but not everywhere
globalThis.CryptoKey ??= webcrypto.CryptoKey
const oidc = await import('openid-client')

const KID = 'of-this-process'
let keys, config, dpop, pending, device

const authentication = {
  none: () => oidc.None(),
  client_secret_basic: (client) => oidc.ClientSecretBasic(client.client_secret),
  client_secret_post: (client) => oidc.ClientSecretPost(client.client_secret),
  private_key_jwt: () => oidc.PrivateKeyJwt(signingKey(), asListed),
}
const urlBuilders = {
  query: oidc.buildAuthorizationUrl,
  par: (config, parameters) => oidc.buildAuthorizationUrlWithPAR(config, parameters, { DPoP: dpop }),
  jar: (config, parameters) => oidc.buildAuthorizationUrlWithJAR(config, parameters, signingKey(), asListed),
  async signedPar(config, parameters) {
    return urlBuilders.par(config, (await urlBuilders.jar(config, parameters)).searchParams)
  },
}

// The library names EdDSA as RFC 9864 does; this provider lists it under its older name.
const asListed = {
  [oidc.modifyAssertion](header) {
    if (header.alg === 'Ed25519') header.alg = 'EdDSA'
  },
}

function signingKey() {
  return { key: keys.privateKey, kid: KID }
}

function told(tokens) {
  return { ...tokens, claims: tokens.claims() }
}

const commands = {
  // A new key pair; the public half, for the registration, is all that leaves this process.
  async keys({ alg }) {
    keys = await oidc.randomDPoPKeyPair(alg)
    const jwk = await crypto.subtle.exportKey('jwk', keys.publicKey)
    return { keys: [{ ...jwk, alg, kid: KID, use: 'sig' }] }
  },

  // Read the provider's metadata, and be the client that is registered.
  async discover({ issuer, client, bound = null, jarm = false }) {
    const authenticate = authentication[client.token_endpoint_auth_method](client)
    config = await oidc.discovery(new URL(issuer), client.client_id, client, authenticate, {
      execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks],
    })
    if (jarm) oidc.useJwtResponseMode(config)
    dpop = bound ? oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair(bound), asListed) : undefined
    return config.serverMetadata()
  },

  // Where to send the browser.
  async authorize({ by = 'query', parameters }) {
    pending = {
      pkceCodeVerifier: oidc.randomPKCECodeVerifier(),
      expectedState: oidc.randomState(),
      expectedNonce: oidc.randomNonce(),
    }
    return urlBuilders[by](config, {
      ...parameters,
      code_challenge: await oidc.calculatePKCECodeChallenge(pending.pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: pending.expectedState,
      nonce: pending.expectedNonce,
    })
  },

  // The browser is back, with a form where it was asked for one: check the answer, redeem its code, check the
  // ID token.
  async callback({ url, form }) {
    const request = form ? new Request(url, { method: 'POST', body: new URLSearchParams(form) }) : new URL(url)
    return told(await oidc.authorizationCodeGrant(config, request, pending, undefined, { DPoP: dpop }))
  },

  async refresh({ token }) {
    return told(await oidc.refreshTokenGrant(config, token, undefined, { DPoP: dpop }))
  },

  userinfo: ({ token, sub }) => oidc.fetchUserInfo(config, token, sub, { DPoP: dpop }),
  introspect: ({ token }) => oidc.tokenIntrospection(config, token),
  revoke: ({ token }) => oidc.tokenRevocation(config, token),
  logout: async ({ parameters }) => oidc.buildEndSessionUrl(config, parameters),

  async device({ parameters }) {
    device = await oidc.initiateDeviceAuthorization(config, parameters)
    return device
  },

  // Ask for the tokens until the person has decided.
  async poll() {
    return told(await oidc.pollDeviceAuthorizationGrant(config, device, undefined, { DPoP: dpop }))
  },
}

// What the library found wrong, and the provider's own words where it gave some: members of its JSON, or the
// challenges of its WWW-Authenticate header.
function explained({ name, message, code, status, error, error_description, cause }) {
  const challenges = Array.isArray(cause) ? cause : undefined
  return { name, message, code, status, error, error_description, challenges, cause: cause?.message ?? cause?.status }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...given } = JSON.parse(line)
  const answer = await commands[command](given).then(
    (result) => ({ result: result ?? null }),
    (error) => ({ error: explained(error) }),
  )
  console.log(JSON.stringify(answer))
}
