// The controller's key for what it says to the whole mesh: Ed25519 (RFC 8032). OpenSSL is included in the .cpp file
// only.
//
// Threads: plain values and pure functions.
#pragma once

#include "base/result/result.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace signed_world {

enum class errc {
  bad_form = 1,  // no signed world, or a key or signature that is none
  forged,        // the signature is missing, or not the pinned key's over these bytes
  other_mesh,    // rightly signed, and for another mesh
  future,        // dated later than this machine's clock says it is
  crypto,        // OpenSSL refused
  bad_state,     // a file of the state directory holds something else than expected
};
boost::system::error_code make_error_code(errc code);

class VerifyKey {
 public:
  static constexpr std::size_t size = 32;
  VerifyKey() = default;  // all zero: no key, verifies nothing
  explicit VerifyKey(std::array<std::uint8_t, size> const& bytes) : bytes_(bytes) {}
  static base::Result<VerifyKey> from_hex(std::string_view text);  // 64 lower-case digits; errc::bad_form
  [[nodiscard]] std::string hex() const;
  [[nodiscard]] bool is_set() const { return bytes_ != std::array<std::uint8_t, size>{}; }
  // `signature` as SigningKey::sign wrote it; anything else is false.
  [[nodiscard]] bool verifies(std::string_view message, std::string_view signature) const;
  bool operator==(VerifyKey const&) const = default;

 private:
  std::array<std::uint8_t, size> bytes_{};
};

class SigningKey {
 public:
  SigningKey() = default;  // signs nothing
  // Reads the file (64 hex digits, 0600), or makes it when there is none. errc::bad_state: it is there and holds no
  // key; nothing is replaced.
  static base::Result<SigningKey> load_or_make(std::string const& file);
  static SigningKey generate();
  ~SigningKey();
  SigningKey(SigningKey const&) = default;
  SigningKey& operator=(SigningKey const&) = default;
  SigningKey(SigningKey&&) = default;
  SigningKey& operator=(SigningKey&&) = default;

  [[nodiscard]] VerifyKey verify_key() const;
  [[nodiscard]] std::string sign(std::string_view message) const;  // 128 hex digits

 private:
  std::array<std::uint8_t, VerifyKey::size> seed_{};
};

}  // namespace signed_world

template <>
struct boost::system::is_error_code_enum<signed_world::errc> : std::true_type {};
