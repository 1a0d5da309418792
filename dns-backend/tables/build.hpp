// Snapshots from rows: everything at start, and per change only what the change touched.
//
// RRsets are not kept twice: a touched name's rows are read again from the database, everything else is in the Model.
// Private to dns-backend/store.
//
// Threads: belongs to the store thread.
#pragma once

#include "dns-backend/tables/model.hpp"

#include <memory>
#include <vector>

namespace store {

class Builder {
 public:
  using SnapshotPtr = std::shared_ptr<Snapshot const>;
  struct Update {
    SnapshotPtr snapshot;
    std::vector<Touched> touched;
  };

  // Reads the whole database.
  base::Result<SnapshotPtr> load(database::Database& database);
  // What `changes` make of `present`. Zones they do not concern are shared with it; of a concerned zone only the path
  // to the touched names is new. A complete copy is a load() that touches every zone.
  base::Result<Update> apply(database::Database& database, Snapshot const& present, database::Changes const& changes);

  void know_slots(std::map<std::string, std::uint32_t> const& slots) { model_.know_slots(slots); }
  [[nodiscard]] Model const& model() const { return model_; }

 private:
  using Work = std::map<std::int64_t, std::set<dns::Name>>;  // names to build anew, by zone

  base::Result<ZonePtr> whole_zone(database::Database& database, ZoneRow const& row);
  base::Result<ZonePtr> changed_zone(database::Database& database, ZoneRow const& row, Zone const& old,
                                     std::set<dns::Name> names, bool secured, std::vector<Touched>& touched);
  base::Result<ZonePtr> next_zone(database::Database& database, ZoneRow const& row, ZonePtr const& old,
                                  std::set<dns::Name> const& names, bool secured, std::vector<Touched>& touched);
  [[nodiscard]] Work work_of(Dirty const& dirty) const;
  // Takes into the indexes what `names` of a zone became; of a zone that is new, gone or much changed, every name.
  static void index(Snapshot& snapshot, Zone const* before, Zone const* after, std::set<dns::Name> const& names);

  Model model_;
};

// The RRsets of a name out of their rows. Rows that make no sense are logged and left out.
base::Result<std::vector<dns::RRset>> read_rrsets(database::Database& database, std::int64_t zone_id,
                                                  dns::Name const& owner);
// Columns owner, type, ttl, contents.
std::optional<dns::OwnedRRset> rrset_of(database::Row const& row);

}  // namespace store
