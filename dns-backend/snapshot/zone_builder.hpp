// From what a zone owns to what it serves: empty non-terminals, delegations, what they hide, and the NSEC3 chain.
//
// fill() builds a whole zone in O(n log n); set_node() changes one name of a zone and touches only the names whose
// derived facts change with it. Both give the same zone (property test). Called by dns-backend/store alone.
//
// Threads: pure functions over values.
#pragma once

#include "dns-backend/snapshot/snapshot.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace store {

// What the tables say about one name, before anything is derived.
struct Node {
  std::vector<dns::RRset> rrsets;  // by type, contents sorted
  std::shared_ptr<pool::LoadBalancer const> balancer;
  bool has4 = false;
  bool has6 = false;
  bool has_target = false;
  [[nodiscard]] bool empty() const { return rrsets.empty() && balancer == nullptr; }
};

// NSEC3PARAM metadata ("1 flags iterations salt", RFC 5155 4). nullopt: NSEC, or NSEC3NARROW, which asks for no chain.
struct Nsec3 {
  bool opt_out = false;
  // An empty non-terminal that leads to insecure delegations alone may be left out of an opt-out chain (RFC 5155 7.1).
  // Signers do so, and the chain of a zone signed elsewhere (PRESIGNED) must be theirs. Our own keeps it: PowerDNS
  // proves the absence of names below it by its NSEC3 record.
  bool omits_ents = false;
  unsigned iterations = 0;
  std::string salt;  // raw octets
  bool operator==(Nsec3 const&) const = default;
};
std::optional<Nsec3> nsec3_of(Zone const& zone);

// Whether an empty non-terminal has authority: not below a delegation, and not where the chain leaves it out.
[[nodiscard]] bool is_authoritative_ent(Zone const& zone, Entry const& entry);

struct OwnedNode {
  std::string key;  // Name::key() of the owner
  Node node;
};
// Replaces entries and nsec3. The nodes are in any order, each name once, none empty.
void fill(Zone& zone, std::vector<OwnedNode> nodes);

// Sets (or with an empty node removes) what is at `name`, which lies within the zone. Appends what answers may have
// changed: the name alone, or a subtree when names came or went, a delegation moved, or the name is a wildcard.
void set_node(Zone& zone, dns::Name const& name, Node node, std::vector<Touched>& touched);

// Whether the chain depends on which NSEC3 signatures came with the zone (presigned, opt-out): then it is rebuilt as a
// whole, since names and signatures arrive in any order.
bool chain_follows_signatures(Zone const& zone);

// Replaces nsec3 by what the metadata ask for.
void rebuild_nsec3(Zone& zone);

// Appends what differs between two versions of a zone's entries, as set_node would.
void compare(Zone const& before, Zone const& after, std::vector<Touched>& touched);

// Sorts, drops what another subtree covers, and lets a zone's apex stand for more than `names_max` of its names.
void tidy(std::vector<Touched>& touched, Snapshot const& snapshot, std::size_t names_max = 1000);

bool same_content(Entry const& a, Entry const& b);

}  // namespace store
