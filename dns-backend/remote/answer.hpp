// Every question that only reads, as a pure function: request, snapshot and health in, the reply's text out.
//
// There is no DNS logic here beyond what the protocol wants of a backend: exact owner names only (PowerDNS asks for
// "*.x" itself), empty non-terminals as rows with an empty type, `auth` 0 at and below a delegation except for its DS,
// and the NSEC and NSEC3 neighbours (RFC 4034 6.1, RFC 5155). At a load balancer the *addresses* follow health and the
// *set of types* never does, because PowerDNS makes NSEC bitmaps from a second, separate lookup.
//
// A Failure means: close the connection and answer nothing. PowerDNS then keeps what it knows, whereas an empty answer
// to getAllDomains would make it refuse every query.
//
// Time comes in with the World, as everything else does.
//
// Threads: pure; any loop.
#pragma once

#include "dns-backend/geo/geo.hpp"
#include "dns-backend/pool/health_table.hpp"
#include "dns-backend/protocol/question.hpp"
#include "dns-backend/protocol/request.hpp"
#include "dns-backend/snapshot/snapshot.hpp"

#include <functional>
#include <optional>
#include <string>

namespace remote {

// Puts the changes of an open transaction over what is stored at a name; may return its argument, or nullptr for
// "nothing there". Used by lookups of the session that owns the transaction.
using Overlay = std::function<store::EntryPtr(store::Zone const&, dns::Name const&, store::EntryPtr)>;

struct World {
  store::Snapshot const& snapshot;
  pool::HealthTable const& health;
  // True where "no zones at all" cannot be the truth: a replica that never heard from its primary.
  bool refuse_while_empty = false;
  Overlay const* overlay = nullptr;
  std::int64_t now_s = 0;  // Unix time
  // Where clients are and how far sites are, for balancers that steer by it; nullptr: nobody knows.
  geo::Locator const* locator = nullptr;
  geo::SiteCosts const* costs = nullptr;
};

// The reply to a lookup, appended to `out`. True: nothing but another snapshot can change it, neither health nor time
// nor the client's place.
bool answer_question(Question const& question, World const& world, std::string& out);

struct AtOnce {
  Method method;
  bool settled;  // as answer_question() says
};

// Answers `line` when it is a lookup or a getAllDomainMetadata in the very form PowerDNS writes, without memory from
// the heap beyond what `out` grows by, and says which; nullopt: nothing was done, parse_request has the word.
std::optional<AtOnce> answer_at_once(std::string_view line, World const& world, std::string& out);

// Appends one reply with its newline to `out`, which must be empty. ASSERTs that the method is no write.
// Failure: errc::unavailable.
base::Result<void> answer(Request const& request, World const& world, std::string& out);

}  // namespace remote
