#include "acme/crypto/jws.hpp"

#include "acme/crypto/encoding.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace crypto {
namespace {

namespace json = boost::json;

std::string flattened(std::string const& header, std::string const& payload, std::string_view signature) {
  json::object body;
  body["protected"] = header;
  body["payload"] = payload;
  body["signature"] = base64url(signature);
  return json::serialize(body);
}

// CAs print HMAC keys in either alphabet, with or without padding.
std::optional<std::string> decode_hmac_key(std::string text) {
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  while (text.ends_with('=')) {
    text.pop_back();
  }
  return text.empty() ? std::nullopt : from_base64url(text);
}

}  // namespace

base::Result<std::string> sign_jws(Key const& key, JwsHeader const& header, std::string_view payload) {
  json::object fields;
  fields["alg"] = "ES256";
  if (!header.nonce.empty()) {
    fields["nonce"] = header.nonce;
  }
  fields["url"] = header.url;
  if (header.kid.empty()) {
    fields["jwk"] = json::parse(key.jwk());
  } else {
    fields["kid"] = header.kid;
  }
  std::string const encoded_header = base64url(json::serialize(fields));
  std::string const encoded_payload = base64url(payload);
  auto const signature = key.sign(encoded_header + "." + encoded_payload);
  if (!signature) {
    return signature.error();
  }
  return flattened(encoded_header, encoded_payload, *signature);
}

base::Result<std::string> key_change_payload(std::string_view key_change_url, std::string_view account_url,
                                             Key const& present, Key const& next) {
  json::object const payload{{"account", account_url}, {"oldKey", json::parse(present.jwk())}};
  return sign_jws(next, JwsHeader{std::string(key_change_url), {}, {}}, json::serialize(payload));
}

base::Result<std::string> bind_external_account(ExternalAccount const& external, std::string_view new_account_url,
                                                Key const& account) {
  auto const secret = decode_hmac_key(external.hmac_key);
  if (!secret) {
    return base::fail(errc::bad_key, "the HMAC key of the external account is not base64url");
  }
  json::object fields;
  fields["alg"] = "HS256";
  fields["kid"] = external.kid;
  fields["url"] = new_account_url;
  std::string const header = base64url(json::serialize(fields));
  std::string const payload = base64url(account.jwk());
  std::string const input = header + "." + payload;
  std::array<unsigned char, 32> mac{};
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), secret->data(), static_cast<int>(secret->size()),
           reinterpret_cast<unsigned char const*>(input.data()), input.size(), mac.data(), &size) == nullptr) {
    return base::fail(errc::bad_key, "cannot compute the binding of the external account");
  }
  return flattened(header, payload, {reinterpret_cast<char const*>(mac.data()), size});
}

std::string key_authorization(std::string_view token, std::string_view thumbprint) {
  return std::string(token) + "." + std::string(thumbprint);
}

std::string dns01_value(std::string_view token, std::string_view thumbprint) {
  return base64url(sha256(key_authorization(token, thumbprint)));
}

}  // namespace crypto
