// Curve25519 keys as WireGuard uses them (RFC 7748; WireGuard's own text form is standard base64 of 32 bytes).
//
// A PrivateKey wipes its bytes when it dies or is moved from, has no stream operator and no hex form except the one
// that the UAPI needs, so that it cannot slip into a log line. A PublicKey is an ordinary ordered value.
//
// Threads: plain values.
#pragma once

#include "mesh/wireguard/error.hpp"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace wireguard {

inline constexpr std::size_t key_size = 32;
using KeyBytes = std::array<std::uint8_t, key_size>;

class PublicKey {
 public:
  PublicKey() = default;  // all zero: no key
  explicit PublicKey(KeyBytes const& bytes) : bytes_(bytes) {}

  // Strict: exactly 44 characters of standard base64 with '=' and no stray bits; 64 hex digits. errc::bad_key.
  static base::Result<PublicKey> from_base64(std::string_view text);
  static base::Result<PublicKey> from_hex(std::string_view text);

  [[nodiscard]] std::string to_base64() const;
  [[nodiscard]] std::string hex() const;  // lower case
  [[nodiscard]] KeyBytes const& bytes() const { return bytes_; }
  [[nodiscard]] bool is_set() const { return bytes_ != KeyBytes{}; }
  auto operator<=>(PublicKey const&) const = default;

 private:
  KeyBytes bytes_{};
};

class PrivateKey {
 public:
  PrivateKey() = default;  // all zero: no key
  explicit PrivateKey(KeyBytes const& bytes) : bytes_(bytes) {}
  PrivateKey(PrivateKey const&) = default;
  PrivateKey& operator=(PrivateKey const&) = default;
  PrivateKey(PrivateKey&& other) noexcept;
  PrivateKey& operator=(PrivateKey&& other) noexcept;
  ~PrivateKey();

  // 32 bytes of the system's random source, clamped as RFC 7748 section 5 says.
  static PrivateKey generate();
  static base::Result<PrivateKey> from_base64(std::string_view text);
  static base::Result<PrivateKey> from_hex(std::string_view text);

  // For the key file (mode 0600) and for the UAPI; nowhere else.
  [[nodiscard]] std::string to_base64() const;
  [[nodiscard]] std::string hex() const;
  [[nodiscard]] std::span<std::uint8_t const, key_size> bytes() const { return bytes_; }
  [[nodiscard]] bool is_set() const;
  bool operator==(PrivateKey const& other) const;  // in constant time

 private:
  void wipe();
  KeyBytes bytes_{};
};

// The public half.
[[nodiscard]] PublicKey public_key(PrivateKey const& key);

// X25519 (RFC 7748 section 6.1). errc::bad_key when `peer` is of small order (the result would be all zero).
[[nodiscard]] base::Result<KeyBytes> shared_secret(PrivateKey const& key, PublicKey const& peer);

}  // namespace wireguard
