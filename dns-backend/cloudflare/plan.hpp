// What must change at Cloudflare: wanted and observed records in, batches of deletes, patches and posts out. Pure.
//
// Only records whose comment carries our mark are ever changed or deleted. Where somebody else's records stand in the
// way, ours is left out and reported.
//
// Threads: pure functions.
#pragma once

#include "dns-backend/cloudflare/record.hpp"

#include <string>
#include <vector>

namespace cloudflare {

// The operations on one name; Cloudflare runs deletes, patches, posts in this order.
struct Batch {
  std::vector<std::string> deletes;  // ids
  std::vector<Record> patches;       // with ids
  std::vector<Record> posts;         // without
  [[nodiscard]] std::size_t size() const { return deletes.size() + patches.size() + posts.size(); }
};

struct Obstacle {
  dns::Name name;
  dns::RRType type;
  std::string message;  // why a wanted record is not exported
};

struct Plan {
  std::vector<Batch> names;  // one for each name that changes
  std::vector<Obstacle> obstacles;
  [[nodiscard]] bool empty() const { return names.empty(); }
};

// Marked as ours: the comment is `mark`, alone or followed by a space and anything. Fits 100 characters, which every
// plan of Cloudflare allows.
[[nodiscard]] bool is_ours(Record const& record, std::string_view mark);

// The seconds Cloudflare takes: 60 to 86400, and 1 for automatic.
[[nodiscard]] std::uint32_t accepted_ttl(std::uint32_t ttl);

// A record keeps its id when only its content or TTL changes, so that the name never answers nothing in between. A
// record that somebody switched to proxied stays so, with the TTL that Cloudflare forces on it.
Plan plan(std::vector<Record> const& wanted, std::vector<Record> const& observed, std::string const& mark);

// As few batches of at most `operations_max` as keep the operations of one name together (a name with more is cut).
std::vector<Batch> pack(std::vector<Batch> const& names, std::size_t operations_max);

// Two halves by name order of the operations; for finding the one that Cloudflare rejects. The second is empty for one
// operation.
std::pair<Batch, Batch> halves(Batch const& batch);

}  // namespace cloudflare
