#include "dns-backend/snapshot/leading.hpp"

#include "dns-backend/snapshot/zone_builder.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace store {
namespace {

constexpr dns::RRType type_naptr{35};
constexpr dns::RRType type_svcb{64};
constexpr dns::RRType type_https{65};

// Which word of its content is the target; nullopt: the type has none that PowerDNS follows.
std::optional<unsigned> target_word(dns::RRType type) {
  if (type == dns::type_cname || type == dns::type_dname || type == dns::type_ns) {
    return 0;
  }
  if (type == dns::type_mx || type == type_svcb || type == type_https) {
    return 1;
  }
  if (type == dns::type_srv) {
    return 3;
  }
  return type == type_naptr ? std::optional(5U) : std::nullopt;
}

std::string_view word(std::string_view content, unsigned number) {
  for (unsigned skipped = 0; skipped < number; ++skipped) {
    std::size_t const blank = content.find(' ');
    if (blank == std::string_view::npos) {
      return {};
    }
    content.remove_prefix(blank + 1);
  }
  return content.substr(0, content.find(' '));
}

class Collector {
 public:
  Collector(Zone const& zone, Entry const& entry) : zone_(zone), entry_(entry) {}

  void add(dns::RRType type, std::string_view target) {
    auto const name = target.empty() || target == "." ? base::Result<dns::Name>(dns::errc::bad_name)
                                                      : dns::Name::parse(target);
    bool const followed = type == dns::type_cname || type == dns::type_dname;
    if (!name || name->key() == entry_.key || (!followed && !name->is_within(zone_.apex))) {
      return;
    }
    bool const below = type == dns::type_dname;
    bool& subtree = links_[{name->key(), below}];
    subtree = subtree || below || (type == dns::type_ns && entry_.cut);
  }
  void add(pool::Pool const& pool, unsigned depth = 0) {
    for (pool::Endpoint const& endpoint : pool.endpoints) {
      add(dns::type_cname, endpoint.target);
    }
    for (pool::PoolPtr const& nested : pool.pools) {
      if (nested != nullptr && depth < pool::nesting_max) {
        add(*nested, depth + 1);
      }
    }
  }
  void add(std::vector<pool::PoolPtr> const& pools) {
    for (pool::PoolPtr const& pool : pools) {
      if (pool != nullptr) {
        add(*pool);
      }
    }
  }

  [[nodiscard]] Links links() const {
    Links out;
    for (auto const& [link, subtree] : links_) {
      out.insert({link.first, link.second, subtree});
    }
    return out;
  }

 private:
  Zone const& zone_;
  Entry const& entry_;
  std::map<std::pair<std::string, bool>, bool> links_;  // by target and Link::below: Link::subtree
};

void add_balancer(Collector& out, Entry const& entry) {
  pool::LoadBalancer const& balancer = *entry.balancer;
  for (pool::Binding const& binding : balancer.bindings) {
    out.add(dns::RRType{binding.type}, word(binding.head, 1));
  }
  if (entry.balancer_has_target) {
    out.add(balancer.pools);
    out.add({balancer.fallback_pool});
    for (auto const& [region, pools] : balancer.region_pools) {
      out.add(pools);
    }
  }
}

// Names below which everything goes anyway.
class Subtrees {
 public:
  void add(Touched const& touched) {
    if (touched.subtree) {
      tops_.insert(touched.name.key());
    }
  }
  [[nodiscard]] bool have(std::string_view key) const {
    for (; !tops_.empty(); key = dns::parent_key(key)) {
      if (tops_.contains(key)) {
        return true;
      }
      if (key.empty()) {
        return false;
      }
    }
    return false;
  }

 private:
  std::set<std::string, std::less<>> tops_;
};

bool only_soa_changed(dns::Name const& name, Snapshot const& before, Snapshot const& after) {
  ZonePtr const old = before.zone(name);
  ZonePtr const now = after.zone(name);
  EntryPtr const was = old == nullptr ? nullptr : old->find(name);
  EntryPtr const is = now == nullptr ? nullptr : now->find(name);
  if (was == nullptr || is == nullptr) {
    return false;
  }
  auto const rest = [](Entry entry) {
    std::erase_if(entry.rrsets, [](dns::RRset const& rrset) { return rrset.type == dns::type_soa; });
    return entry;
  };
  return same_content(rest(*was), rest(*is));
}

}  // namespace

Links links_of(Zone const& zone, Entry const* entry) {
  if (entry == nullptr) {
    return {};
  }
  Collector out(zone, *entry);
  for (dns::RRset const& rrset : entry->rrsets) {
    if (auto const place = target_word(rrset.type)) {
      for (std::string const& content : rrset.contents) {
        out.add(rrset.type, word(content, *place));
      }
    }
  }
  if (entry->balancer != nullptr) {
    add_balancer(out, *entry);
  }
  return out.links();
}

std::vector<Touched> with_leading(Snapshot const& snapshot, std::vector<Touched> touched, std::size_t names_max,
                                  Snapshot const* before) {
  constexpr std::size_t looks_per_name = 10;
  std::set<Touched> seen(touched.begin(), touched.end());
  Subtrees covered;
  for (Touched const& one : touched) {
    covered.add(one);
  }
  std::size_t const changed = touched.size();
  std::size_t looks = 0;
  bool whole = false;
  // Grows while it is walked: what leads to an alias leads here as well. A circle ends, since nothing comes twice.
  for (std::size_t i = 0; i < touched.size() && !whole; ++i) {
    Touched const one = touched[i];
    if (i < changed && before != nullptr && !one.subtree && only_soa_changed(one.name, *before, snapshot)) {
      continue;
    }
    snapshot.leading.visit(one.name.key(), one.subtree, [&](LeadingNames::Lead const& lead) {
      if (!covered.have(lead.alias)) {
        dns::Name name = dns::Name::from_key(lead.alias);
        Touched next{name.is_wildcard() ? name.parent() : name, lead.subtree || name.is_wildcard()};
        if (seen.insert(next).second) {
          covered.add(next);
          touched.push_back(std::move(next));
        }
      }
      whole = touched.size() > changed + names_max || ++looks > names_max * looks_per_name;
      return !whole;
    });
  }
  return whole ? std::vector<Touched>{{dns::Name(), true}} : touched;
}

}  // namespace store
