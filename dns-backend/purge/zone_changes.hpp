// Which zones came or went with a publication, as a value.
//
// Threads: a plain value.
#pragma once

#include "dns-backend/store/store.hpp"

#include <map>
#include <string>
#include <vector>

namespace purge {

class ZoneChanges {
 public:
  // The zones there are; nothing came or went.
  explicit ZoneChanges(store::Snapshot const& snapshot);

  // What came or went at and below the touched subtrees since the last call. A zone is always announced by a subtree,
  // and the snapshot may be newer than the announcement.
  std::vector<dns::Name> published(store::Snapshot const& snapshot, std::vector<store::Touched> const& touched);

 private:
  std::map<std::string, dns::Name> known_;  // by apex key: canonical order, a subtree is one stretch
};

}  // namespace purge
