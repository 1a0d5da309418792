#include "acme/keyring/keyring.hpp"

#include "base/process/log.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

namespace keyring {
namespace {

using database::Blob;
using database::blob;
using database::Database;
using database::integer;
using database::Row;
using database::Rows;
using database::text;
using database::Transaction;

constexpr std::string_view version_1 = R"(
CREATE TABLE acme_data_key (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  owner INTEGER NOT NULL,
  master TEXT NOT NULL,
  sealed BLOB NOT NULL,
  made_at_ms INTEGER NOT NULL
);
CREATE INDEX acme_data_key_by_owner ON acme_data_key (owner, id);
)";

constexpr std::uint8_t by_master = 1;
constexpr std::uint8_t by_data_key = 2;
constexpr std::size_t head = 1 + 8;  // form, id of the data key
constexpr std::string_view credential = "credential:";
// Before the id of the master that a data key is of: it did not open when that master was changed.
constexpr std::string_view damaged = "damaged:";

// The row's identity without its id: a data key is sealed before it has one, and its owner is what must not change.
std::string row_of(std::int64_t owner) {
  return "acme_data_key/" + std::to_string(owner);
}

base::Result<void> changed(base::Result<std::int64_t> const& done) {
  return done ? base::Result<void>() : base::Result<void>(done.error());
}

base::Result<void> done(base::Result<database::Revision> const& written) {
  return written ? base::Result<void>() : base::Result<void>(written.error());
}

KeyRing::Query of(Transaction& transaction) {
  return [&transaction](std::string_view sql, std::vector<database::Value> const& parameters) {
    return transaction.query(sql, parameters);
  };
}

base::Result<void> moved(std::string const& from, std::string const& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) {
    return base::fail(errc::key_file, base::fail_errno(errno, "cannot rename " + from + " to " + to).what());
  }
  return {};
}

// Named by its id: each change keeps one, and none is overwritten.
std::string former_name(std::string const& file, Sealer const& key) {
  return file + ".former." + key.id();
}

// The masters whose data keys there are; of damaged ones as damaged_of() says.
base::Result<std::vector<std::string>> marks_of(Database& database) {
  auto const rows = database.query("SELECT DISTINCT master FROM acme_data_key ORDER BY master");
  if (!rows) {
    return rows.error();
  }
  std::vector<std::string> marks;
  std::ranges::transform(*rows, std::back_inserter(marks), [](Row const& row) { return text(row[0]); });
  return marks;
}

// Without damaged ones, which need none.
base::Result<std::vector<std::string>> masters_of(Database& database) {
  auto ids = marks_of(database);
  if (ids) {
    std::erase_if(*ids, [](std::string const& id) { return id.starts_with(damaged); });
  }
  return ids;
}

std::string damaged_of(Sealer const& master) {
  return std::string(damaged) + master.id();
}

}  // namespace

database::Schema schema() {
  return {"keyring", {{1, version_1}}, {}};
}

bool is_sealed_by_master(Blob const& sealed) {
  return !sealed.empty() && sealed[0] == by_master;
}

base::Result<std::string> master_path(std::string const& text, std::string const& credentials_directory) {
  if (!text.starts_with(credential)) {
    return text;
  }
  std::string const name = text.substr(credential.size());
  if (name.empty() || name.find('/') != std::string::npos) {
    return base::fail(errc::key_file, text + " must be credential:NAME, without '/'");
  }
  if (credentials_directory.empty()) {
    return base::fail(errc::key_file,
                      text + ": this process was given no credentials; LoadCredential= of its unit gives them");
  }
  return credentials_directory + "/" + name;
}

base::Result<void> KeyRing::open(Database& database, MasterFiles const& files, bool may_create) {
  auto const path = master_path(files.present, files.credentials_directory);
  if (!path) {
    return path.error();
  }
  bool const given = files.present.starts_with(credential);
  file_ = given ? std::string() : *path;
  if (auto const settled = given ? base::Result<void>() : settle_interrupted(database); !settled) {
    return settled;
  }
  auto loaded = Sealer::load(*path, may_create && !given, given);
  if (!loaded) {
    return loaded.error();
  }
  master_ = std::move(*loaded);
  former_.clear();
  for (std::string const& one : files.former) {
    auto const place = master_path(one, files.credentials_directory);
    if (!place) {
      return place.error();
    }
    auto key = Sealer::load(*place, false, one.starts_with(credential));
    if (!key) {
      return key.error();
    }
    former_.push_back(std::move(*key));
  }
  return adopt(database);
}

// Which of the two files the store's keys belong to says whether the transaction between them was committed. The next
// key's file is removed only when it is sure that nothing was sealed by it: it may be the only copy.
base::Result<void> KeyRing::settle_interrupted(Database& database) {
  std::string const next = file_ + ".next";
  struct stat status {};
  if (stat(next.c_str(), &status) != 0) {
    return errno == ENOENT ? base::Result<void>()
                           : base::Result<void>(base::fail(errc::key_file, base::fail_errno(errno, next).what()));
  }
  auto const masters = masters_of(database);
  if (!masters) {
    return masters.error();
  }
  auto const key = Sealer::load(next, false);
  auto const present = Sealer::load(file_, false);
  auto const is_of = [](base::Result<Sealer> const& one, std::string const& id) { return one && one->id() == id; };
  bool const needed = std::ranges::any_of(*masters, [&](std::string const& id) { return is_of(key, id); });
  bool const all_present = std::ranges::all_of(*masters, [&](std::string const& id) { return is_of(present, id); });
  if (!needed && !all_present) {
    return base::fail(errc::key_file, next + " is left of a change of the master key and cannot be judged: " +
                                          (key ? "the store's keys are of neither file" : key.error().what()));
  }
  if (!needed) {
    return unlink(next.c_str()) == 0 ? base::Result<void>()
                                     : base::Result<void>(base::fail(errc::key_file, "cannot remove " + next));
  }
  if (present) {
    if (auto const kept = moved(file_, former_name(file_, *present)); !kept) {
      return kept;
    }
  }
  return moved(next, file_);
}

base::Result<void> KeyRing::adopt(Database& database) {
  auto const marks = marks_of(database);
  if (!marks) {
    return marks.error();
  }
  std::string const present = master_->id();
  for (std::string const& mark : *marks) {
    bool const lost = mark.starts_with(damaged);
    std::string const id = lost ? mark.substr(damaged.size()) : mark;
    auto const found = std::ranges::find_if(former_, [&id](Sealer const& key) { return key.id() == id; });
    if (mark == present || (lost && found == former_.end())) {
      continue;
    }
    if (found == former_.end()) {
      return base::fail(errc::sealed, "the store's keys are sealed by the master key " + id +
                                          ", and the one given is " + present +
                                          "; name the file of the former one in former_master_keys");
    }
    if (auto const wrapped = rewrap(database, *found, *master_); !wrapped) {
      return wrapped;
    }
  }
  return {};
}

// A damaged one keeps nobody else's from being sealed anew: its owner alone has lost what it sealed.
base::Result<void> KeyRing::rewrap(Database& database, Sealer const& from, Sealer const& to) {
  std::vector<std::int64_t> lost;
  auto const written = done(database.write([&](Transaction& transaction) -> base::Result<void> {
    auto const rows =
        transaction.query("SELECT id, owner, sealed, master FROM acme_data_key WHERE master IN (?, ?) ORDER BY id",
                          {from.id(), damaged_of(from)});
    if (!rows) {
      return rows.error();
    }
    lost.clear();
    for (Row const& row : *rows) {
      std::string const identity = row_of(integer(row[1]));
      auto const key = Sealer::unwrap(from, blob(row[2]), identity);
      if (!key) {
        lost.push_back(integer(row[1]));
      }
      auto const stored = changed(transaction.execute(
          "UPDATE acme_data_key SET master = ?, sealed = ? WHERE id = ?",
          {key ? to.id() : damaged_of(from), key ? key->wrapped_by(to, identity) : blob(row[2]), integer(row[0])}));
      if (!stored) {
        return stored;
      }
    }
    return {};
  }));
  if (written && !lost.empty()) {
    process::log::warning("vault", "data keys that do not open were passed over count={} first_owner={} master={}",
                          lost.size(), lost.front(), from.id());
  }
  return written;
}

base::Result<KeyRing::DataKey> KeyRing::make(Transaction& transaction, std::int64_t owner, std::int64_t now_ms) {
  Sealer key = Sealer::generate();
  auto const made =
      changed(transaction.execute("INSERT INTO acme_data_key (owner, master, sealed, made_at_ms) VALUES (?, ?, ?, ?)",
                                  {owner, master_->id(), key.wrapped_by(*master_, row_of(owner)), now_ms}));
  if (!made) {
    return made.error();
  }
  return DataKey{transaction.last_insert_id(), std::move(key)};
}

base::Result<std::optional<KeyRing::DataKey>> KeyRing::find(Query const& query, std::int64_t owner,
                                                            std::optional<std::int64_t> id) const {
  auto const rows =
      id ? query("SELECT id, sealed FROM acme_data_key WHERE owner = ? AND id = ?", {owner, *id})
         : query("SELECT id, sealed FROM acme_data_key WHERE owner = ? ORDER BY id DESC LIMIT 1", {owner});
  if (!rows) {
    return rows.error();
  }
  if (rows->empty()) {
    return std::optional<DataKey>();
  }
  auto key = Sealer::unwrap(*master_, blob(rows->front()[1]), row_of(owner));
  if (!key) {
    return key.error();
  }
  return std::optional(DataKey{integer(rows->front()[0]), std::move(*key)});
}

base::Result<Blob> KeyRing::seal(Transaction& transaction, std::int64_t owner, std::string_view plain,
                                 std::string_view row, std::int64_t now_ms) {
  auto found = find(of(transaction), owner, std::nullopt);
  if (!found && found.error().code != errc::sealed) {
    return found.error();
  }
  // One that is damaged would keep its owner from ever having another certificate.
  if (!found || !*found) {
    auto made = make(transaction, owner, now_ms);
    if (!made) {
      return made.error();
    }
    found = std::optional(std::move(*made));
  }
  Blob sealed{by_data_key};
  auto const id = static_cast<std::uint64_t>((*found)->id);
  for (unsigned shift = 64; shift > 0; shift -= 8) {
    sealed.push_back(static_cast<std::uint8_t>(id >> (shift - 8)));
  }
  Blob const body = (*found)->key.seal(plain, row);
  sealed.insert(sealed.end(), body.begin(), body.end());
  return sealed;
}

base::Result<std::string> KeyRing::unseal(Query const& query, std::int64_t owner, Blob const& sealed,
                                          std::string_view row) const {
  if (is_sealed_by_master(sealed)) {
    auto opened = master_->unseal(sealed, row);
    for (auto former = former_.begin(); !opened && former != former_.end(); ++former) {
      opened = former->unseal(sealed, row);
    }
    return opened;
  }
  if (sealed.size() < head || sealed[0] != by_data_key) {
    return base::fail(errc::sealed, std::string(row) + " is not in a known form");
  }
  std::uint64_t id = 0;
  for (std::size_t i = 1; i < head; ++i) {
    id = id << 8U | sealed[i];
  }
  auto const key = find(query, owner, static_cast<std::int64_t>(id));
  if (!key) {
    return key.error();
  }
  if (!*key) {
    return base::fail(errc::sealed, std::string(row) + " was sealed by a key that its owner does not have");
  }
  return (*key)->key.unseal({sealed.begin() + static_cast<std::ptrdiff_t>(head), sealed.end()}, row);
}

base::Result<void> KeyRing::renew(Transaction& transaction, std::int64_t owner, std::int64_t now_ms) {
  auto const made = make(transaction, owner, now_ms);
  return made ? base::Result<void>() : base::Result<void>(made.error());
}

base::Result<void> KeyRing::drop_former(Transaction& transaction, std::int64_t owner) {
  return changed(transaction.execute(
      "DELETE FROM acme_data_key WHERE owner = ?1 AND id < (SELECT max(id) FROM acme_data_key WHERE owner = ?1)",
      {owner}));
}

base::Result<void> KeyRing::forget(Transaction& transaction, std::int64_t owner) {
  return changed(transaction.execute("DELETE FROM acme_data_key WHERE owner = ?", {owner}));
}

base::Result<void> KeyRing::rotate_master(Database& database) {
  if (file_.empty()) {
    return base::fail(errc::key_file,
                      "the master key is a credential: give the unit a new one, name the present one in "
                      "former_master_keys, and restart");
  }
  // What an earlier change left is ended first: its next key may be the only one that opens the store.
  if (auto const settled = settle_interrupted(database); !settled) {
    return settled;
  }
  auto present = Sealer::load(file_, false);
  if (!present) {
    return present.error();
  }
  if (present->id() != master_->id()) {
    master_ = std::move(*present);
  }
  std::string const next = file_ + ".next";
  if (auto const made = Sealer::create_file(next); !made) {
    return made;
  }
  auto key = Sealer::load(next, false);
  if (!key) {
    return key.error();
  }
  // After a failure the file stays: a commit that reports one may have happened all the same. The next change, or the
  // next start, sees by the keys' ids which it was.
  if (auto const wrapped = rewrap(database, *master_, *key); !wrapped) {
    return wrapped;
  }
  std::string const former = former_name(file_, *master_);
  master_ = std::move(*key);
  if (auto const kept = moved(file_, former); !kept) {
    return kept;
  }
  return moved(next, file_);
}

base::Result<KeyRingState> KeyRing::state(Database& database) const {
  auto const rows = database.query("SELECT count(*), min(made_at_ms) FROM acme_data_key");
  if (!rows) {
    return rows.error();
  }
  KeyRingState state;
  state.master_id = master_->id();
  state.data_keys = integer(rows->front()[0]);
  state.oldest_ms = integer(rows->front()[1]);
  state.rotates_itself = !file_.empty();
  return state;
}

base::Result<KeyRingState> KeyRing::check(Database& database, KeyRingState seen, std::int64_t most) const {
  auto const rows = database.query("SELECT id, owner, sealed FROM acme_data_key WHERE id > ? ORDER BY id LIMIT ?",
                                   {seen.checked_to, most});
  if (!rows) {
    return rows.error();
  }
  for (Row const& row : *rows) {
    seen.checked_to = integer(row[0]);
    if (!Sealer::unwrap(*master_, blob(row[2]), row_of(integer(row[1])))) {
      ++seen.damaged;
      seen.first_damaged = seen.first_damaged.value_or(integer(row[1]));
    }
  }
  return seen;
}

}  // namespace keyring
