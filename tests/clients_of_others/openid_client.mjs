// Logs in by openid-client: as a program, and for a person whose browser is the test. One JSON object a line goes
// out, and the address that the browser was sent back to comes in.
import { createInterface } from "node:readline";
import * as openid from "openid-client";

const [issuer, robotId, robotSecret, pageId, back] = process.argv.slice(2);
const overPlainHttp = { execute: [openid.allowInsecureRequests] };
const say = (said) => console.log(JSON.stringify(said));

const proof = openid.ClientSecretBasic(robotSecret);
const robot = await openid.discovery(new URL(issuer), robotId, undefined, proof, overPlainHttp);
const own = await openid.clientCredentialsGrant(robot);
const seen = await openid.tokenIntrospection(robot, own.access_token);

const page = await openid.discovery(new URL(issuer), pageId, undefined, openid.None(), overPlainHttp);
const verifier = openid.randomPKCECodeVerifier();
const state = openid.randomState();
const nonce = openid.randomNonce();
const address = openid.buildAuthorizationUrl(page, {
  redirect_uri: back,
  scope: "openid profile",
  state,
  nonce,
  code_challenge: await openid.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
});
say({ seen, address });

for await (const returned of createInterface({ input: process.stdin })) {
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
  const tokens = await openid.authorizationCodeGrant(page, new URL(returned), checks);
  const claims = tokens.claims();
  const person = await openid.fetchUserInfo(page, tokens.access_token, claims.sub);
  const refreshed = await openid.refreshTokenGrant(page, tokens.refresh_token);
  await openid.tokenRevocation(page, refreshed.refresh_token);
  let refusal = "none";
  try {
    await openid.refreshTokenGrant(page, refreshed.refresh_token);
  } catch (error) {
    refusal = error.error;
  }
  say({ claims, person, refusal, leave: openid.buildEndSessionUrl(page, { id_token_hint: tokens.id_token }) });
  break;
}
