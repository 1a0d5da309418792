#include "mesh/world_store/catch_up.hpp"

#include <limits>
#include <set>
#include <utility>

namespace world_store {
namespace {

std::string list(std::set<std::string> const& names) {
  std::string out;
  for (auto const& name : names) {
    out += (out.empty() ? "" : ", ") + name;
  }
  return out.empty() ? "none" : out;
}

bool is_forgotten(Stored::Life const& life, std::int64_t revision, std::int64_t seen) {
  return seen > revision || (seen > life.learnt && seen < life.first);
}

constexpr std::int64_t claim_life_s = 600;

}  // namespace

bool Claims::add(std::string const& by, std::int64_t seen, std::int64_t now_s) {
  std::erase_if(claims_, [&](auto const& entry) { return now_s - entry.second.since_s >= claim_life_s; });
  auto const [place, added] = claims_.try_emplace(by, Claim{by, seen, now_s});
  place->second.seen = seen;
  return added;
}

std::optional<Claims::Claim> Claims::newest(std::int64_t now_s) const {
  std::optional<Claim> out;
  for (auto const& [name, claim] : claims_) {
    if (now_s - claim.since_s < claim_life_s && (!out || claim.since_s >= out->since_s)) {
      out = claim;
    }
  }
  return out;
}

bool forgotten(Stored const& stored, std::int64_t seen) {
  return is_forgotten(stored.life, stored.document.revision, seen);
}

base::Result<Learnt> catch_up(database::Database& database, plan::WorldDocument const& later, std::int64_t now_s) {
  Learnt out;
  auto const present = database.query("SELECT topology FROM controller_world WHERE id = 1");
  auto life = read_life(database);
  if (!present || !life) {
    return !present ? present.error() : life.error();
  }
  auto const before = database.revision();
  out.revision = before + life->ahead;
  if (!is_forgotten(*life, out.revision, later.revision)) {
    return out;
  }
  out.other_topology = present->empty() || database::text(present->front()[0]) != later.topology;
  if (later.revision > out.revision) {
    life->first = later.revision + between_lives;
    life->ahead = life->first - before;
  }
  life->learnt = later.revision;
  auto const body = [&](database::Transaction& transaction) -> base::Result<void> {
    auto known =
        members::catch_up(transaction, {later.nodes, later.generations, later.removed, later.issued_at_s}, now_s);
    auto const written = transaction.execute(
        "INSERT INTO controller_life (id, ahead, learnt, first) VALUES (1, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
        "ahead = excluded.ahead, learnt = excluded.learnt, first = excluded.first",
        {life->ahead, life->learnt, life->first});
    if (!known || !written) {
      return !known ? known.error() : written.error();
    }
    out.members = std::move(*known);
    return {};
  };
  auto const revision = database.write(body);
  if (!revision) {
    return revision.error();
  }
  out.revision = *revision + life->ahead;
  return out;
}

base::Result<plan::WorldDocument> own_word(std::string const& body, signed_world::VerifyKey const& key,
                                           std::string const& mesh) {
  auto const shown = signed_world::parse_signed_world(body);
  if (!shown) {
    return shown.error();
  }
  // The signature comes before the document is read. As if all of them had been used: then no date is too late.
  return signed_world::open_world(*shown, signed_world::Pin{key, mesh, 0}, 0, std::numeric_limits<std::int64_t>::max());
}

std::set<std::string> to_join_again(Stored const& stored) {
  std::set<std::string> out;
  for (auto const& [name, key] : stored.certificate_keys) {
    if (key.empty() && stored.members.contains(name)) {
      out.insert(name);
    }
  }
  return out;
}

std::string sentence(Learnt const& learnt) {
  return "It goes on at " + std::to_string(learnt.revision) +
         ". Removed since the copy: " + list(learnt.members.removed) +
         "; changed their keys: " + list(learnt.members.changed) +
         "; joined, and are to join again: " + list(learnt.members.joined) +
         (learnt.other_topology ? "; the topology was another, and is to be set again" : "");
}

}  // namespace world_store
