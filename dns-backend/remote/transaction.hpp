// One open transaction of one PowerDNS connection, as a value: what startTransaction, feedRecord and replaceRRSet
// collected.
//
// Two kinds: *edit* (domain_id -1: DNS UPDATE, the HTTP API's PATCH, rectify) replaces RRsets in place; *whole*
// (domain_id >= 0: `pdnsutil load-zone`) replaces the zone. Nothing reaches the store before commit, but lookups of the
// same connection see the edits through `overlay`: an UPDATE that adds two addresses to one name reads what it wrote a
// moment ago.
//
// Records are checked when they arrive, so that the answer to that very call tells; one bad record spoils the
// transaction.
//
// Threads: belongs to one session.
#pragma once

#include "dns-backend/protocol/request.hpp"
#include "dns-backend/snapshot/snapshot.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace remote {

class Transaction {
 public:
  // In memory, about: some six million usual records.
  static constexpr std::size_t octets_max = std::size_t{1} << 30U;

  Transaction(dns::Name apex, bool whole) : apex_(std::move(apex)), whole_(whole) {}

  // Failures: errc::bad_request (content, owner outside the zone), errc::too_large (octets_max). Afterwards broken()
  // says why.
  base::Result<void> feed(Record const& record);
  // `present` is what the zone has at the owner, needed for type ANY (every type goes).
  base::Result<void> replace(ReplaceRRset const& replacement, store::EntryPtr const& present);

  [[nodiscard]] store::EntryPtr overlay(dns::Name const& name, store::EntryPtr stored) const;

  [[nodiscard]] dns::Name const& apex() const { return apex_; }
  [[nodiscard]] bool whole() const { return whole_; }
  [[nodiscard]] bool empty() const { return rrsets_.empty(); }
  [[nodiscard]] std::string const& broken() const { return broken_; }
  // The RRsets in canonical order; those without contents are deletions.
  [[nodiscard]] std::vector<dns::OwnedRRset> take();

 private:
  base::Result<void> spoil(errc code, std::string why);
  base::Result<void> add(dns::Name const& owner, dns::RRType type, Record const& record);

  dns::Name apex_;
  bool whole_;
  std::size_t octets_ = 0;
  std::string broken_;
  std::map<std::pair<dns::Name, dns::RRType>, dns::RRset> rrsets_;
};

}  // namespace remote
