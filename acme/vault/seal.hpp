// Private keys at rest: AES-256-GCM under one master key that lives in a file outside the store.
//
// A sealed text is 1 octet version, 12 octets random nonce, ciphertext, 16 octets tag. What the row is (table and
// identity) is authenticated with it, so a sealed key that is moved to another row does not open there.
//
// Threads: immutable after creation; may be used from any thread.
#pragma once

#include "acme/vault/errc.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vault {

class Sealer {
 public:
  // The file holds 32 raw octets or their base64, and is readable by its owner alone (0600 or 0400); else key_file.
  // With `may_create` an absent file is made (never when sealed rows exist: a new key would orphan them).
  static base::Result<Sealer> load(std::string const& path, bool may_create);

  [[nodiscard]] std::vector<std::uint8_t> seal(std::string_view plain, std::string_view row) const;
  // errc::sealed when master key, row or text are not those of seal().
  [[nodiscard]] base::Result<std::string> unseal(std::vector<std::uint8_t> const& sealed, std::string_view row) const;

 private:
  struct Secret;
  explicit Sealer(std::shared_ptr<Secret const> secret) : secret_(std::move(secret)) {}
  std::shared_ptr<Secret const> secret_;
};

}  // namespace vault
