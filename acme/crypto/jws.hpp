// Signed requests (RFC 8555 section 6.2: flattened JSON, ES256), external account binding (7.3.4), and the values
// that prove control of a name (8.1, 8.4).
//
// Threads: pure functions.
#pragma once

#include "acme/crypto/key.hpp"

#include <string>
#include <string_view>

namespace crypto {

struct JwsHeader {
  std::string url;    // the exact URL of the request
  std::string nonce;  // from Replay-Nonce, used once; empty only inside a key change (RFC 8555 section 7.3.5)
  std::string kid;    // the account URL; empty: the public key itself is sent (newAccount)
};

// The request's body. `payload` is JSON, "{}" to start a challenge, or empty for POST-as-GET.
[[nodiscard]] base::Result<std::string> sign_jws(Key const& key, JwsHeader const& header, std::string_view payload);

struct ExternalAccount {
  std::string kid;
  std::string hmac_key;  // base64url as the CA hands it out; padding and the standard alphabet are accepted
  bool operator==(ExternalAccount const&) const = default;
};
// The payload of keyChange (RFC 8555 section 7.3.5): the new key signs which account it is to belong to and which key
// it replaces. The request around it is signed by `present`.
[[nodiscard]] base::Result<std::string> key_change_payload(std::string_view key_change_url,
                                                           std::string_view account_url, Key const& present,
                                                           Key const& next);

// The "externalAccountBinding" member: HS256 over the account's public key; its url is newAccount's and it has no
// nonce. bad_key when the HMAC key is not base64.
[[nodiscard]] base::Result<std::string> bind_external_account(ExternalAccount const& external,
                                                              std::string_view new_account_url, Key const& account);

// token "." thumbprint (RFC 8555 section 8.1).
[[nodiscard]] std::string key_authorization(std::string_view token, std::string_view thumbprint);
// What the TXT record at _acme-challenge carries: 43 characters (RFC 8555 section 8.4).
[[nodiscard]] std::string dns01_value(std::string_view token, std::string_view thumbprint);

}  // namespace crypto
