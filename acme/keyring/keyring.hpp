// Envelope encryption: every owner has a data key of its own, the store holds it sealed by the master key, and the
// master key lies in a file outside the store.
//
//   master key (file, or a credential of systemd's) --> data keys of owners (acme_data_key) --> sealed texts in rows
//
// An owner is a tenant's id; 0 is the platform itself (accounts at CAs). A sealed text names its data key; it opens for
// the owner and the row it was sealed for and for no other. What was sealed before data keys existed was sealed by the
// master key itself: unseal() still opens it, and Vault seals it anew when it opens.
//
// Everything happens within somebody's transaction, so a data key is deleted in the step that sealed everything of it
// anew, and nothing can be sealed by it in between. The master key changes in two steps that survive kill -9 between
// any two octets: the next key's file is on disk before the transaction that seals all data keys by it, and takes the
// present one's place after it; whoever opens the store finds out by the keys' ids where it stopped.
//
// Threads: belongs to the store thread once open() was called there.
#pragma once

#include "acme/keyring/seal.hpp"
#include "base/database/database.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyring {

[[nodiscard]] database::Schema schema();  // not replicated

// Where a master key comes from: a path, or "credential:NAME", a file below systemd's $CREDENTIALS_DIRECTORY.
struct MasterFiles {
  std::string present;
  std::vector<std::string> former{};    // still opened, never sealed with
  std::string credentials_directory{};  // empty: there is none
};

struct KeyRingState {
  std::string master_id;
  std::int64_t data_keys = 0;
  std::int64_t oldest_ms = 0;   // when the oldest data key was made; 0: there is none
  bool rotates_itself = false;  // the master key is a file, and not a credential
  // Data keys that the master key does not open; what they sealed is lost. Filled in by check().
  std::int64_t damaged = 0;
  std::optional<std::int64_t> first_damaged;  // the owner of the one that was made first
  std::int64_t checked_to = 0;                // id of the last data key that was looked at
};

class KeyRing {
 public:
  // How rows are read: of a Database or of a Transaction.
  using Query =
      std::function<base::Result<database::Rows>(std::string_view sql, std::vector<database::Value> const& parameters)>;

  // Loads the keys, ends a change of master key that was interrupted, and seals by the present master what a former one
  // had sealed. key_file; sealed: data keys of a master that no file holds, the detail says its id.
  base::Result<void> open(database::Database& database, MasterFiles const& files, bool may_create);

  // Makes the owner's data key where it has none, or one that is damaged.
  base::Result<database::Blob> seal(database::Transaction& transaction, std::int64_t owner, std::string_view plain,
                                    std::string_view row, std::int64_t now_ms);
  [[nodiscard]] base::Result<std::string> unseal(Query const& query, std::int64_t owner, database::Blob const& sealed,
                                                 std::string_view row) const;
  // A fresh data key; seal() uses it from now on. What the former ones sealed is to be sealed anew before
  // drop_former().
  base::Result<void> renew(database::Transaction& transaction, std::int64_t owner, std::int64_t now_ms);
  static base::Result<void> drop_former(database::Transaction& transaction, std::int64_t owner);
  // With it goes whatever it sealed, in backups of the store too.
  static base::Result<void> forget(database::Transaction& transaction, std::int64_t owner);

  // A fresh master key. Its predecessor stays beside it as FILE.former.ID, for backups from before. A data key that it
  // does not open is passed over and stays as it is, marked with the master it was of: one that is put back from a
  // backup is taken in again when that master is among the former ones. key_file when the master key is a credential:
  // whoever gives it changes it (`former` above); and when an earlier change is not ended.
  base::Result<void> rotate_master(database::Database& database);
  [[nodiscard]] base::Result<KeyRingState> state(database::Database& database) const;
  // Looks at the next `most` data keys behind those that `seen` looked at; with none left `checked_to` stays.
  [[nodiscard]] base::Result<KeyRingState> check(database::Database& database, KeyRingState seen,
                                                 std::int64_t most) const;

 private:
  base::Result<void> settle_interrupted(database::Database& database);
  base::Result<void> adopt(database::Database& database);
  base::Result<void> rewrap(database::Database& database, Sealer const& from, Sealer const& to);
  struct DataKey {
    std::int64_t id = 0;
    Sealer key;
  };
  base::Result<DataKey> make(database::Transaction& transaction, std::int64_t owner, std::int64_t now_ms);
  [[nodiscard]] base::Result<std::optional<DataKey>> find(Query const& query, std::int64_t owner,
                                                          std::optional<std::int64_t> id) const;

  std::string file_;  // of the master key; empty: a credential
  std::optional<Sealer> master_;
  std::vector<Sealer> former_;
};

// The path behind "credential:NAME", or the text itself; key_file when there is no such place.
[[nodiscard]] base::Result<std::string> master_path(std::string const& text, std::string const& credentials_directory);

// Whether the master key itself sealed it, as was done before there were data keys.
[[nodiscard]] bool is_sealed_by_master(database::Blob const& sealed);

}  // namespace keyring
