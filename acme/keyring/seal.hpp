// One key and what it seals: AES-256-GCM. A master key lives in a file outside the store; data keys are made here.
//
// A sealed text is 1 octet version, 12 octets random nonce, ciphertext, 16 octets tag. What the row is (table and
// identity) is authenticated with it, so a sealed key that is moved to another row does not open there.
//
// Threads: immutable after creation; may be used from any thread.
#pragma once

#include "acme/keyring/errc.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace keyring {

class Sealer {
 public:
  // The file holds 32 raw octets or their base64, and is readable by its owner alone (0600 or 0400); else key_file. A
  // credential of systemd's may be readable by its group too: that is how the mask of its access list shows.
  // With `may_create` an absent file is made (never when sealed rows exist: a new key would orphan them).
  static base::Result<Sealer> load(std::string const& path, bool may_create, bool credential = false);
  // Makes the file with a fresh key (0600), replacing what was there; key_file.
  static base::Result<void> create_file(std::string const& path);
  static Sealer generate();
  // Of 32 octets; errc::sealed for any other size.
  static base::Result<Sealer> from_octets(std::string_view octets);

  [[nodiscard]] std::vector<std::uint8_t> seal(std::string_view plain, std::string_view row) const;
  // errc::sealed when key, row or text are not those of seal().
  [[nodiscard]] base::Result<std::string> unseal(std::vector<std::uint8_t> const& sealed, std::string_view row) const;
  // This key under another, and back.
  [[nodiscard]] std::vector<std::uint8_t> wrapped_by(Sealer const& master, std::string_view row) const;
  static base::Result<Sealer> unwrap(Sealer const& master, std::vector<std::uint8_t> const& wrapped,
                                     std::string_view row);
  // Tells keys apart and says nothing of them: 16 hexadecimal digits of a digest.
  [[nodiscard]] std::string id() const;

 private:
  struct Secret;
  explicit Sealer(std::shared_ptr<Secret const> secret) : secret_(std::move(secret)) {}
  std::shared_ptr<Secret const> secret_;
};

}  // namespace keyring
