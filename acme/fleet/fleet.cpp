#include "acme/fleet/fleet.hpp"

#include "acme/crypto/encoding.hpp"

#include <algorithm>
#include <charconv>

namespace acme {
namespace {

constexpr std::size_t let_go_max = 10000;  // of an edge that does not come any more

std::string id_of(Fleet::Key const& key) {
  std::string const id = "tenant-" + std::to_string(key.first);
  return key.second == 0 ? id : id + "-" + std::to_string(key.second);
}

std::optional<Fleet::Key> key_of(std::string_view id) {
  constexpr std::string_view prefix = "tenant-";
  if (!id.starts_with(prefix)) {
    return std::nullopt;
  }
  Fleet::Key key{0, 0};
  char const* const end = id.data() + id.size();
  auto const tenant = std::from_chars(id.data() + prefix.size(), end, key.first);
  bool good = tenant.ec == std::errc();
  if (good && tenant.ptr != end) {
    good = *tenant.ptr == '-' && std::from_chars(tenant.ptr + 1, end, key.second).ec == std::errc();
  }
  return good && id_of(key) == id ? std::optional(key) : std::nullopt;
}

// A key as one number that rises with it; 0: before the first. Nothing where it does not fit, which no page ends with.
constexpr unsigned place_bits = 31;

std::optional<std::int64_t> number_of(Fleet::Key const& key) {
  bool const fits = key.first > 0 && key.first >> (63U - place_bits) == 0 && key.second >> place_bits == 0;
  return fits ? std::optional(key.first << place_bits | key.second) : std::nullopt;
}

Fleet::Key key_behind(std::int64_t number) {
  return {number >> place_bits, number & ((std::int64_t{1} << place_bits) - 1)};
}

std::uint64_t mark_of(EdgeBundle const& bundle) {
  std::string text = bundle.id + " " + bundle.tenant + " " + bundle.fingerprint + " ";
  text += std::to_string(bundle.sequence);
  for (std::string const& name : bundle.names) {
    text += " " + name;
  }
  std::string const digest = crypto::sha256(text);
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    bits = (bits << 8U) | static_cast<std::uint8_t>(digest[i]);
  }
  return bits;
}

std::optional<crypto::Time> next_end(std::vector<vault::CertificateRow> const& certificates, crypto::Time now) {
  std::optional<crypto::Time> next;
  for (vault::CertificateRow const& row : certificates) {
    if (row.not_after > now) {
      next = std::min(next.value_or(row.not_after), row.not_after);
    }
  }
  return next;
}

}  // namespace

// A sum does not depend on the order in which bundles came, and one is taken off as it was put on.
std::int64_t Fleet::sequence_of(Edge const& edge) {
  constexpr std::uint64_t golden = 0x9e3779b97f4a7c15U;
  std::uint64_t bits = edge.sum + (static_cast<std::uint64_t>(edge.count) + 1) * golden;
  bits = (bits ^ (bits >> 30U)) * 0xbf58476d1ce4e5b9U;
  bits = (bits ^ (bits >> 27U)) * 0x94d049bb133111ebU;
  bits ^= bits >> 31U;
  return static_cast<std::int64_t>(bits >> 12U) + 1;
}

std::set<std::string> Fleet::edges_of(std::vector<std::string> const& pools) const {
  std::set<std::string> edges;
  for (std::string const& name : pools) {
    if (auto const pool = pools_.find(name); pool != pools_.end()) {
      edges.insert(pool->second.edges.begin(), pool->second.edges.end());
    }
  }
  return edges;
}

bool Fleet::serves(Edge const& edge, Tenant const& tenant) {
  return std::ranges::any_of(tenant.pools, [&edge](std::string const& pool) { return edge.pools.contains(pool); });
}

// What the edge's list has in this place.
Fleet::Kept const* Fleet::at(Edge const& edge, Key const& key) const {
  if (auto const leaving = edge.leaving.find(key); leaving != edge.leaving.end()) {
    return &leaving->second.kept;
  }
  auto const tenant = tenants_.find(key.first);
  if (tenant == tenants_.end() || !serves(edge, tenant->second)) {
    return nullptr;
  }
  auto const found = tenant->second.bundles.find(key.second);
  return found == tenant->second.bundles.end() ? nullptr : &found->second;
}

// Asked for every acknowledgment there is at the start: nothing is copied.
bool Fleet::serves_subject(Edge const& edge, std::int64_t tenant_id, std::int64_t subject_id) const {
  auto const has = [subject_id](Kept const& kept) { return kept.bundle.subject_id == subject_id; };
  for (auto at = edge.leaving.lower_bound({tenant_id, 0}); at != edge.leaving.end() && at->first.first == tenant_id;
       ++at) {
    if (has(at->second.kept)) {
      return true;
    }
  }
  auto const tenant = tenants_.find(tenant_id);
  return tenant != tenants_.end() && serves(edge, tenant->second) &&
         std::ranges::any_of(tenant->second.bundles, [&](auto const& item) {
           // What is leaving at this place stands in front of it.
           return has(item.second) && !edge.leaving.contains({tenant_id, item.first});
         });
}

// The log keeps its newest `left` entries; of those before the sequences are remembered for a while.
void Fleet::cut(Edge& edge, std::size_t left) const {
  while (edge.log.size() > left) {
    edge.cut.push_back(edge.log.front().before);
    edge.log.pop_front();
  }
  while (edge.cut.size() > log_max_) {
    edge.cut.pop_front();
  }
}

bool Fleet::move(Edge& edge, Key const& key, Kept const* before, Kept const* now) {
  if ((before == nullptr && now == nullptr) || (before != nullptr && now != nullptr && before->mark == now->mark)) {
    return false;
  }
  edge.log.push_back({sequence_of(edge), key});
  cut(edge, log_max_);
  if (before != nullptr) {
    edge.sum -= before->mark;
    --edge.count;
  }
  if (now != nullptr) {
    edge.sum += now->mark;
    ++edge.count;
  }
  return true;
}

void Fleet::hold(std::string const& name, Edge& edge, Key const& key, Kept kept, Revision revision) {
  edge.leaving[key] = {std::move(kept), revision};
  leaving_.emplace(revision, name, key);
}

// It is wanted again: no longer leaving.
bool Fleet::let_stay(std::string const& name, Edge& edge, Key const& key) {
  auto const found = edge.leaving.find(key);
  if (found == edge.leaving.end()) {
    return false;
  }
  leaving_.erase({found->second.since, name, key});
  edge.leaving.erase(found);
  return true;
}

// A tenant's bundles at one edge go from `before` to `now`; nullptr: it serves none of them.
void Fleet::move_all(std::string const& name, std::int64_t tenant_id, Bundles const* before, Bundles const* now,
                     Revision revision, Edges& touched) {
  Edge& edge = edges_[name];
  std::set<std::int64_t> places;
  for (Bundles const* const one : {before, now}) {
    if (one != nullptr) {
      std::ranges::transform(*one, std::inserter(places, places.end()), [](auto const& item) { return item.first; });
    }
  }
  auto const find = [](Bundles const* bundles, std::int64_t place) -> Kept const* {
    auto const found = bundles == nullptr ? Bundles::const_iterator() : bundles->find(place);
    return bundles == nullptr || found == bundles->end() ? nullptr : &found->second;
  };
  for (std::int64_t const place : places) {
    Key const key{tenant_id, place};
    Kept const* was = find(before, place);
    Kept const* const is = find(now, place);
    std::optional<Kept> held;
    if (auto const leaving = edge.leaving.find(key); leaving != edge.leaving.end()) {
      held = leaving->second.kept;
      was = &*held;
    }
    if (is != nullptr) {
      let_stay(name, edge, key);
      if (move(edge, key, was, is)) {
        touched.insert(name);
      }
    } else if (was != nullptr && !held) {
      hold(name, edge, key, *was, revision);  // the list is the same until it is released
    }
  }
}

// The bundles of a tenant that had none. At the start that is everybody, so each edge is found without its name.
void Fleet::move_in(std::int64_t tenant_id, Tenant const& tenant, Revision revision, Edges& touched) {
  std::vector<Edge const*> done;
  for (std::string const& name : tenant.pools) {
    for (auto const& [edge_name, edge] : pools_[name].members) {
      if (std::ranges::find(done, edge) != done.end()) {
        continue;
      }
      done.push_back(edge);
      if (!edge->leaving.empty()) {
        move_all(*edge_name, tenant_id, nullptr, &tenant.bundles, revision, touched);
        continue;
      }
      for (auto const& [place, kept] : tenant.bundles) {
        move(*edge, {tenant_id, place}, nullptr, &kept);
      }
      touched.insert(*edge_name);
    }
  }
}

void Fleet::index(std::int64_t tenant_id, Tenant const& tenant, bool add) {
  for (std::string const& name : tenant.pools) {
    if (add && !tenant.bundles.empty()) {
      pools_[name].tenants.insert(tenant_id);
    } else if (auto const pool = pools_.find(name); pool != pools_.end()) {
      pool->second.tenants.erase(tenant_id);
    }
  }
  if (tenant.lapse && add) {
    lapses_.emplace(*tenant.lapse, tenant_id);
  } else if (tenant.lapse) {
    lapses_.erase({*tenant.lapse, tenant_id});
  }
}

Fleet::Outcome Fleet::take(TenantFacts const& facts, crypto::Time now, Revision revision) {
  std::int64_t const id = facts.tenant_id;
  Tenant next;
  next.pools = facts.pools;
  std::ranges::sort(next.pools);
  next.lapse = facts.wanted.empty() ? std::nullopt : next_end(facts.certificates, now);
  CertificatesByName const certificates = by_name(facts.certificates);
  for (Wanted const& one : facts.wanted) {
    vault::CertificateRow const* const row = newest(one, certificates, now);
    if (row == nullptr) {
      continue;
    }
    std::int64_t const place = one.kind == Wanted::Kind::own ? 0 : row->subject_id;
    Kept kept{{id_of({id, place}), one.label.empty() ? one.tenant : one.label, one.names, row->subject_id,
               row->sequence, row->fingerprint},
              0};
    kept.mark = mark_of(kept.bundle);
    next.bundles[place] = std::move(kept);
  }
  Tenant before;
  if (auto const found = tenants_.find(id); found != tenants_.end()) {
    before = std::move(found->second);
    tenants_.erase(found);
  }
  bool const same =
      before.pools == next.pools && std::ranges::equal(before.bundles, next.bundles, [](auto const& a, auto const& b) {
        return a.first == b.first && a.second.bundle == b.second.bundle;
      });
  Outcome outcome;
  index(id, before, false);
  if (!same && before.bundles.empty() && !next.bundles.empty()) {
    outcome.changed = true;
    move_in(id, next, revision, outcome.edges);
  } else if (!same && !before.bundles.empty()) {
    outcome.changed = true;
    auto const were = edges_of(before.pools);
    auto const are = edges_of(next.pools);
    std::set<std::string> all = were;
    all.insert(are.begin(), are.end());
    for (std::string const& edge : all) {
      move_all(edge, id, were.contains(edge) ? &before.bundles : nullptr, are.contains(edge) ? &next.bundles : nullptr,
               revision, outcome.edges);
    }
  }
  if (!next.bundles.empty() || next.lapse) {
    index(id, next, true);
    tenants_.emplace(id, std::move(next));
  }
  return outcome;
}

Fleet::Outcome Fleet::set_pools(Pools wanted, Revision revision) {
  std::map<std::string, std::set<std::int64_t>> moved;  // edge -> tenants of pools that it came into or left
  for (auto const& [name, pool] : pools_) {
    auto const now = wanted.find(name);
    for (std::string const& edge : pool.edges) {
      if (now == wanted.end() || !now->second.contains(edge)) {
        moved[edge].insert(pool.tenants.begin(), pool.tenants.end());
      }
    }
  }
  for (auto const& [name, edges] : wanted) {
    Pool const& pool = pools_[name];
    for (std::string const& edge : edges) {
      if (!pool.edges.contains(edge)) {
        moved[edge].insert(pool.tenants.begin(), pool.tenants.end());
      }
    }
  }
  std::map<std::string, std::set<std::int64_t>> served;  // of those: which the edge serves before
  for (auto const& [edge, tenants] : moved) {
    for (std::int64_t const id : tenants) {
      if (serves(edges_[edge], tenants_.at(id))) {
        served[edge].insert(id);
      }
    }
  }
  Outcome outcome;
  for (auto& [name, pool] : pools_) {
    auto const now = wanted.find(name);
    std::set<std::string> edges = now == wanted.end() ? std::set<std::string>() : std::move(now->second);
    outcome.changed = outcome.changed || edges != pool.edges;
    for (std::string const& edge : pool.edges) {
      edges_[edge].pools.erase(name);
    }
    for (std::string const& edge : edges) {
      edges_[edge].pools.insert(name);
    }
    pool.edges = std::move(edges);
    pool.members.clear();
    std::ranges::transform(pool.edges, std::back_inserter(pool.members), [this](std::string const& edge) {
      auto const found = edges_.try_emplace(edge).first;
      return std::pair(&found->first, &found->second);
    });
  }
  for (auto const& [edge, tenants] : moved) {
    for (std::int64_t const id : tenants) {
      Tenant const& tenant = tenants_.at(id);
      bool const before = served[edge].contains(id);
      bool const is = serves(edges_[edge], tenant);
      if (before != is) {
        move_all(edge, id, before ? &tenant.bundles : nullptr, is ? &tenant.bundles : nullptr, revision, outcome.edges);
      }
    }
  }
  return outcome;
}

Fleet::Edges Fleet::recall(std::string const& name, std::int64_t tenant_id, EdgeBundle bundle, bool own,
                           Revision revision) {
  Edge& edge = edges_[name];
  if (serves_subject(edge, tenant_id, bundle.subject_id)) {
    return {};
  }
  Key key{tenant_id, 0};
  if (!own || at(edge, key) != nullptr) {
    key.second = bundle.subject_id;
  }
  bundle.id = id_of(key);
  Kept kept{std::move(bundle), 0};
  kept.mark = mark_of(kept.bundle);
  move(edge, key, nullptr, &kept);
  hold(name, edge, key, std::move(kept), revision);
  return {name};
}

Fleet::Edges Fleet::release(Revision everywhere) {
  Edges touched;
  while (!leaving_.empty() && std::get<0>(*leaving_.begin()) <= everywhere) {
    auto const [since, name, key] = *leaving_.begin();
    leaving_.erase(leaving_.begin());
    Edge& edge = edges_[name];
    auto const found = edge.leaving.find(key);
    Kept const kept = std::move(found->second.kept);
    edge.leaving.erase(found);
    move(edge, key, &kept, nullptr);
    edge.let_go.emplace_back(key, kept.bundle.subject_id);
    if (edge.let_go.size() > let_go_max) {
      edge.let_go.pop_front();
    }
    touched.insert(name);
  }
  return touched;
}

std::optional<Fleet::Revision> Fleet::next_release() const {
  return leaving_.empty() ? std::nullopt : std::optional(std::get<0>(*leaving_.begin()));
}

std::vector<std::int64_t> Fleet::lapsed(crypto::Time now) const {
  std::vector<std::int64_t> tenants;
  for (auto at = lapses_.begin(); at != lapses_.end() && at->first <= now; ++at) {
    tenants.push_back(at->second);
  }
  return tenants;
}

std::optional<crypto::Time> Fleet::next_lapse() const {
  return lapses_.empty() ? std::nullopt : std::optional(lapses_.begin()->first);
}

std::int64_t Fleet::sequence(std::string const& edge) const {
  auto const found = edges_.find(edge);
  return found == edges_.end() ? sequence_of({}) : sequence_of(found->second);
}

std::size_t Fleet::size(std::string const& edge) const {
  auto const found = edges_.find(edge);
  return found == edges_.end() ? 0 : found->second.count;
}

std::optional<EdgeBundle> Fleet::find(std::string const& edge, std::string_view id) const {
  auto const found = edges_.find(edge);
  auto const key = key_of(id);
  Kept const* const kept = found == edges_.end() || !key ? nullptr : at(found->second, *key);
  if (kept == nullptr) {
    return std::nullopt;
  }
  EdgeBundle bundle = kept->bundle;
  bundle.leaving = found->second.leaving.contains(*key);
  return bundle;
}

std::optional<Fleet::Delta> Fleet::changed_since(std::string const& edge, std::int64_t since, bool oldest) const {
  auto const found = edges_.find(edge);
  if (found == edges_.end() || (!oldest && sequence_of(found->second) == since)) {
    return since == sequence(edge) ? std::optional(Delta()) : std::nullopt;
  }
  Edge const& its = found->second;
  auto first = its.log.end();
  if (oldest) {
    // Where its first time is not in the log any more, a later one says too little.
    bool const is_cut = std::ranges::find(its.cut, since) != its.cut.end();
    first = is_cut ? its.log.end() : std::ranges::find(its.log, since, &Entry::before);
  } else {
    auto const last =
        std::find_if(its.log.rbegin(), its.log.rend(), [since](Entry const& entry) { return entry.before == since; });
    first = last == its.log.rend() ? its.log.end() : last.base() - 1;
  }
  if (first == its.log.end()) {
    return std::nullopt;
  }
  std::set<Key> keys;
  std::for_each(first, its.log.end(), [&keys](Entry const& entry) { keys.insert(entry.key); });
  Delta delta;
  for (Key const& key : keys) {
    if (Kept const* const kept = at(its, key)) {
      delta.bundles.push_back(kept->bundle);
      delta.bundles.back().leaving = its.leaving.contains(key);
    } else {
      delta.gone.push_back(id_of(key));
    }
  }
  add_leaving(its, keys, delta);
  return delta;
}

// That a bundle is leaving moves no list. Who takes its names brings it into the answer, so that the edge knows which
// of the two goes.
void Fleet::add_leaving(Edge const& edge, std::set<Key> const& known, Delta& delta) {
  std::set<std::string> names;
  for (EdgeBundle const& bundle : delta.bundles) {
    names.insert(bundle.names.begin(), bundle.names.end());
  }
  for (auto const& [key, leaving] : edge.leaving) {
    EdgeBundle const& bundle = leaving.kept.bundle;
    if (!known.contains(key) &&
        std::ranges::any_of(bundle.names, [&names](std::string const& name) { return names.contains(name); })) {
      delta.bundles.push_back(bundle);
      delta.bundles.back().leaving = true;
    }
  }
}

// The next tenant behind `after` with something at this edge; 0: none.
std::int64_t Fleet::next_tenant(Edge const& edge, std::int64_t after) const {
  std::int64_t next = 0;
  auto const consider = [&next](std::int64_t id) { next = next == 0 ? id : std::min(next, id); };
  for (std::string const& name : edge.pools) {
    auto const& tenants = pools_.at(name).tenants;
    if (auto const found = tenants.upper_bound(after); found != tenants.end()) {
      consider(*found);
    }
  }
  if (auto const found = edge.leaving.lower_bound({after + 1, 0}); found != edge.leaving.end()) {
    consider(found->first.first);
  }
  return next;
}

std::map<std::int64_t, EdgeBundle> Fleet::places_of(Edge const& edge, std::int64_t tenant_id) const {
  std::map<std::int64_t, EdgeBundle> places;
  auto const tenant = tenants_.find(tenant_id);
  if (tenant != tenants_.end() && serves(edge, tenant->second)) {
    for (auto const& [place, kept] : tenant->second.bundles) {
      places.emplace(place, kept.bundle);
    }
  }
  auto leaving = edge.leaving.lower_bound({tenant_id, 0});
  for (; leaving != edge.leaving.end() && leaving->first.first == tenant_id; ++leaving) {
    EdgeBundle& bundle = places[leaving->first.second] = leaving->second.kept.bundle;  // as at() has it
    bundle.leaving = true;
  }
  return places;
}

Fleet::Page Fleet::page(std::string const& edge, std::int64_t after, std::size_t most) const {
  Page page;
  auto const found = edges_.find(edge);
  if (found == edges_.end()) {
    return page;
  }
  auto [id, behind] = after > 0 ? key_behind(after) : Key{0, -1};
  if (id == 0) {
    id = next_tenant(found->second, 0);
    behind = -1;
  }
  std::optional<std::int64_t> last;
  for (; id != 0; id = next_tenant(found->second, id), behind = -1) {
    for (auto& [place, bundle] : places_of(found->second, id)) {
      if (place <= behind) {
        continue;
      }
      if (page.bundles.size() >= most && last) {
        page.next = *last;
        return page;
      }
      page.bundles.push_back(std::move(bundle));
      last = number_of({id, place});
    }
  }
  return page;
}

std::vector<Fleet::Dropped> Fleet::confirm(std::string const& name, std::int64_t applied) {
  auto const found = edges_.find(name);
  if (found == edges_.end() || found->second.let_go.empty() || sequence_of(found->second) != applied) {
    return {};
  }
  Edge& edge = found->second;
  std::vector<Dropped> dropped;
  for (auto const& [key, subject_id] : edge.let_go) {
    Dropped const one{subject_id, key.first};
    if (!serves_subject(edge, key.first, subject_id) && std::ranges::find(dropped, one) == dropped.end()) {
      dropped.push_back(one);
    }
  }
  edge.let_go.clear();
  return dropped;
}

std::vector<std::int64_t> Fleet::tenants() const {
  std::vector<std::int64_t> ids;
  std::ranges::transform(tenants_, std::back_inserter(ids), [](auto const& item) { return item.first; });
  return ids;
}

std::vector<std::string> Fleet::edges() const {
  std::vector<std::string> names;
  std::ranges::transform(edges_, std::back_inserter(names), [](auto const& item) { return item.first; });
  return names;
}

bool Fleet::verify(std::string const& name) {
  auto const found = edges_.find(name);
  if (found == edges_.end()) {
    return true;
  }
  Edge& edge = found->second;
  std::uint64_t sum = 0;
  std::size_t count = 0;
  for (std::string const& pool : edge.pools) {
    for (std::int64_t const id : pools_.at(pool).tenants) {
      Tenant const& tenant = tenants_.at(id);
      // Once for each tenant, at the first of its pools that the edge is in.
      auto const first = std::ranges::find_if(tenant.pools, [&](auto const& one) { return edge.pools.contains(one); });
      if (*first != pool) {
        continue;
      }
      for (auto const& [place, kept] : tenant.bundles) {
        sum += edge.leaving.contains({id, place}) ? 0 : kept.mark;
        count += edge.leaving.contains({id, place}) ? 0U : 1U;
      }
    }
  }
  for (auto const& [key, leaving] : edge.leaving) {
    sum += leaving.kept.mark;
    ++count;
  }
  if (sum == edge.sum && count == edge.count) {
    return true;
  }
  edge.sum = sum;
  edge.count = count;
  cut(edge, 0);
  return false;
}

}  // namespace acme
