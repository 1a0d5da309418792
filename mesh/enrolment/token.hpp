// The right to join once (or a limited number of times), until a date, perhaps as one node only.
//
// Text form: "sov2.<id>.<secret>.<sha256 of the controller's public TLS key>.<the key it signs worlds with>". The
// digest pins the controller, so that a node's first connection needs no certificate authority, and stays when its
// certificate is renewed or what issues certificates is replaced (tokens of former versions have the certificate's,
// which holds until that is renewed); the second key pins what the node will ever take for the mesh's word. The
// registry keeps only the SHA-256 of the secret.
//
// Threads: plain values and pure functions.
#pragma once

#include "mesh/enrolment/error.hpp"
#include "mesh/wireguard/key.hpp"

#include <string>
#include <string_view>

namespace enrolment {

struct Token {
  std::string id;                 // 16 hex digits
  std::string secret;             // 64 hex digits
  std::string controller_sha256;  // 64 hex digits
  std::string world_key;          // 64 hex digits: signed_world::VerifyKey

  static Token generate(std::string controller_sha256, std::string world_key);
  static base::Result<Token> parse(std::string_view text);  // errc::bad_token
  [[nodiscard]] std::string text() const;
};

// Lower-case hex.
std::string sha256_hex(std::string_view bytes);
std::string random_hex(std::size_t bytes);

// Equal length and equal content, in a time that depends on the length alone.
bool equal_in_constant_time(std::string_view a, std::string_view b);

// In the place of the token when a member shows the key it changes to, which then is in the place of the request.
inline constexpr std::string_view rotation_proof = "rotation";
// In the place of the token when a member whose certificate has ended shows again the keys that it joined with.
inline constexpr std::string_view renewal_proof = "renewal";

// HMAC-SHA256 (RFC 2104), hex, keyed by the X25519 secret that only the holder of the WireGuard key and the controller
// can compute; binds token, node and certificate request together.
base::Result<std::string> proof_of_possession(wireguard::PrivateKey const& own, wireguard::PublicKey const& other,
                                              std::string_view token_id, std::string_view node,
                                              std::string_view csr_pem);

}  // namespace enrolment
