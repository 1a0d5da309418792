#include "dns-backend/cloudflare/plan.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace cloudflare {
namespace {

using ByType = std::map<dns::RRType, std::vector<Record const*>>;

struct AtName {
  ByType wanted;
  ByType ours;
  std::vector<Record const*> foreign;
};

// Cloudflare's rules for neighbours (CNAME alone, NS alone), and our own: an RRset of somebody else is not mixed with
// ours, except TXT, where each text stands for itself. Nothing when `type` may be written.
std::optional<std::string> obstacle(AtName const& name, dns::RRType type) {
  for (Record const* const other : name.foreign) {
    if (other->type == type && type != dns::type_txt) {
      return "a " + dns::to_text(type) + " record that is not ours is there";
    }
    bool const cname_clash = (other->type == dns::type_cname) != (type == dns::type_cname) &&
                             (other->type == dns::type_cname || type == dns::type_cname);
    bool const ns_clash = (other->type == dns::type_ns) != (type == dns::type_ns) &&
                          (other->type == dns::type_ns || type == dns::type_ns);
    if (cname_clash || ns_clash) {
      return "a record that is not ours excludes " + dns::to_text(type) + " there";
    }
  }
  return std::nullopt;
}

bool same_ttl(Record const& wanted, Record const& observed) {
  return observed.proxied || wanted.ttl == observed.ttl;
}

Record patch_of(Record const& wanted, std::string const& id) {
  Record out = wanted;
  out.id = id;
  return out;
}

// One RRset: exact matches first, then old records take over new contents, then what is left over.
void plan_set(std::vector<Record const*> wanted, std::vector<Record const*> ours, Batch& out) {
  std::vector<Record const*> rest;
  for (Record const* const record : wanted) {
    auto const same = std::find_if(ours.begin(), ours.end(), [record](Record const* candidate) {
      return comparable(*candidate) == comparable(*record);
    });
    if (same == ours.end()) {
      rest.push_back(record);
      continue;
    }
    if (!same_ttl(*record, **same)) {
      out.patches.push_back(patch_of(*record, (*same)->id));
    }
    ours.erase(same);
  }
  for (Record const* const record : rest) {
    if (ours.empty()) {
      out.posts.push_back(*record);
    } else {
      out.patches.push_back(patch_of(*record, ours.front()->id));
      ours.erase(ours.begin());
    }
  }
  for (Record const* const surplus : ours) {
    out.deletes.push_back(surplus->id);
  }
}

Batch plan_name(dns::Name const& owner, AtName name, std::vector<Obstacle>& obstacles) {
  Batch out;
  for (auto it = name.wanted.begin(); it != name.wanted.end();) {
    auto const why = obstacle(name, it->first);
    if (why) {
      obstacles.push_back({owner, it->first, *why});
      it = name.wanted.erase(it);
    } else {
      ++it;
    }
  }
  std::set<dns::RRType> types;
  for (auto const& [type, records] : name.wanted) {
    types.insert(type);
  }
  for (auto const& [type, records] : name.ours) {
    types.insert(type);
  }
  for (dns::RRType const type : types) {
    std::vector<Record const*> wanted = name.wanted[type];
    // A text that somebody else already publishes is published; a second one would be refused as identical.
    std::erase_if(wanted, [&](Record const* record) {
      return std::any_of(name.foreign.begin(), name.foreign.end(), [record](Record const* other) {
        return other->type == record->type && comparable(*other) == comparable(*record);
      });
    });
    plan_set(std::move(wanted), name.ours[type], out);
  }
  return out;
}

void append(Batch& to, Batch const& from) {
  to.deletes.insert(to.deletes.end(), from.deletes.begin(), from.deletes.end());
  to.patches.insert(to.patches.end(), from.patches.begin(), from.patches.end());
  to.posts.insert(to.posts.end(), from.posts.begin(), from.posts.end());
}

// The first `count` operations in Cloudflare's order are moved out of `batch`.
Batch take(Batch& batch, std::size_t count) {
  Batch out;
  auto const move = [&count](auto& from, auto& to) {
    auto const end = from.begin() + static_cast<std::ptrdiff_t>(std::min(count, from.size()));
    count -= static_cast<std::size_t>(end - from.begin());
    to.assign(from.begin(), end);
    from.erase(from.begin(), end);
  };
  move(batch.deletes, out.deletes);
  move(batch.patches, out.patches);
  move(batch.posts, out.posts);
  return out;
}

}  // namespace

bool is_ours(Record const& record, std::string_view mark) {
  std::string_view const comment = record.comment;
  return comment.starts_with(mark) && (comment.size() == mark.size() || comment[mark.size()] == ' ');
}

std::uint32_t accepted_ttl(std::uint32_t ttl) {
  constexpr std::uint32_t least = 60;
  constexpr std::uint32_t most = 86400;
  return std::clamp(ttl, least, most);
}

Plan plan(std::vector<Record> const& wanted, std::vector<Record> const& observed, std::string const& mark) {
  std::map<dns::Name, AtName> names;
  std::vector<Record> marked = wanted;
  for (Record& record : marked) {
    record.comment = mark;
    record.ttl = accepted_ttl(record.ttl);
    names[record.name].wanted[record.type].push_back(&record);
  }
  for (Record const& record : observed) {
    AtName& name = names[record.name];
    if (is_ours(record, mark)) {
      name.ours[record.type].push_back(&record);
    } else {
      name.foreign.push_back(&record);
    }
  }
  Plan out;
  for (auto& [owner, name] : names) {
    Batch batch = plan_name(owner, std::move(name), out.obstacles);
    if (batch.size() > 0) {
      out.names.push_back(std::move(batch));
    }
  }
  return out;
}

std::vector<Batch> pack(std::vector<Batch> const& names, std::size_t operations_max) {
  ASSERT(operations_max > 0);
  std::vector<Batch> out;
  for (Batch name : names) {
    if (!out.empty() && out.back().size() + name.size() <= operations_max) {
      append(out.back(), name);
      continue;
    }
    while (name.size() > 0) {
      out.push_back(take(name, operations_max));
    }
  }
  return out;
}

std::pair<Batch, Batch> halves(Batch const& batch) {
  Batch rest = batch;
  Batch first = take(rest, (batch.size() + 1) / 2);
  return {std::move(first), std::move(rest)};
}

}  // namespace cloudflare
