// Sealed texts and the rows they are in: what each is authenticated with, and which there are.
//
// Threads: pure functions, and reads on the store thread. What fails is the database.
#pragma once

#include "base/database/database.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vault {

// The owner of what belongs to no tenant: the accounts.
inline constexpr std::int64_t platform = 0;

// What a sealed text is authenticated with, so that it opens in no other row.
[[nodiscard]] std::string account_seal(std::string const& directory_url);
[[nodiscard]] std::string pending_seal(std::string const& directory_url);
// Before there was one for each CA.
[[nodiscard]] std::string former_order_seal(std::int64_t subject_id);
[[nodiscard]] std::string order_seal(std::int64_t subject_id, std::string const& directory_url);
[[nodiscard]] std::string certificate_seal(std::int64_t tenant_id, std::string const& fingerprint);

// One text in one place. `former_rows` are what older programs sealed it for.
struct SealedText {
  std::int64_t owner = 0;
  std::string update;  // ?1 is the new text
  std::vector<database::Value> key;
  std::string row;
  std::vector<std::string> former_rows;
  database::Blob text;
};

// Which texts: of one owner, or with `owner` unset up to `most` of those that a master key sealed itself.
struct WantedTexts {
  std::optional<std::int64_t> owner;
  std::int64_t most = 0;  // below 0: all
};
[[nodiscard]] base::Result<std::vector<SealedText>> sealed_texts(database::Transaction& transaction,
                                                                 WantedTexts const& wanted);

// Texts that are still sealed by a master key itself: the damaged ones, once everything else was sealed anew.
[[nodiscard]] base::Result<std::int64_t> left_with_the_master(database::Database& database);

}  // namespace vault
