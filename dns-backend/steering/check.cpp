#include "dns-backend/steering/check.hpp"

#include "base/config/nearest.hpp"
#include "dns-backend/steering/address.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace steering {

namespace {

using config::quoted;
using Names = std::vector<std::string>;

// All places of a balancer that name pools: the field's path and the name.
std::vector<std::pair<std::string, std::string>> pools_named(Balancer const& balancer) {
  std::vector<std::pair<std::string, std::string>> out;
  auto const add = [&out](std::string const& field, Names const& names) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      out.emplace_back(field + "[" + std::to_string(i) + "]", names[i]);
    }
  };
  add("default_pools", balancer.default_pools);
  if (!balancer.fallback_pool.empty()) {
    out.emplace_back("fallback_pool", balancer.fallback_pool);
  }
  for (auto const& [code, names] : balancer.region_pools) {
    add("region_pools." + code, names);
  }
  return out;
}

// The pool and everything nested in it, each once; cycles end by themselves.
void reach(Objects const& objects, std::string const& name, std::set<std::string>& seen) {
  if (!seen.insert(name).second) {
    return;
  }
  if (auto const found = objects.pools.find(name); found != objects.pools.end()) {
    for (std::string const& nested : found->second.pools) {
      reach(objects, nested, seen);
    }
  }
}

std::set<std::string> pools_of(Objects const& objects, Balancer const& balancer) {
  std::set<std::string> seen;
  for (auto const& [field, name] : pools_named(balancer)) {
    reach(objects, name, seen);
  }
  return seen;
}

bool has_targets(Pool const& pool) {
  return std::any_of(pool.origins.begin(), pool.origins.end(), [](Origin const& origin) {
    auto const address = parse_address(origin.address);
    return address && !address->target.empty();
  });
}

class Checker {
 public:
  Checker(Objects const& objects, Context const& context) : objects_(objects), context_(context) {}

  base::Problems run() {
    for (auto const& [name, monitor] : objects_.monitors) {
      object_ = path_of(Kind::monitor, name);
      look_at(monitor);
    }
    std::size_t origins = 0;
    for (auto const& [name, pool] : objects_.pools) {
      object_ = path_of(Kind::pool, name);
      origins += pool.origins.size();
      look_at(pool);
    }
    for (auto const& [name, balancer] : objects_.load_balancers) {
      object_ = path_of(Kind::load_balancer, name);
      look_at(balancer);
    }
    std::size_t const count = objects_.monitors.size() + objects_.pools.size() + objects_.load_balancers.size();
    if (origins > origins_max || count > objects_max) {
      problems_.push_back(
          {{},
           "",
           "there are " + std::to_string(count) + " objects with " + std::to_string(origins) + " origins",
           "at most " + std::to_string(objects_max) + " and " + std::to_string(origins_max)});
    }
    return std::move(problems_);
  }

 private:
  void fail(std::string const& field, std::string message, std::string hint = {}) {
    problems_.push_back({{}, object_ + "." + field, std::move(message), std::move(hint)});
  }

  [[nodiscard]] Names pool_names() const {
    Names names;
    for (auto const& [name, pool] : objects_.pools) {
      if (!tenant_of(name)) {
        names.push_back(name);
      }
    }
    for (auto const& [name, endpoints] : context_.topology_pools) {
      names.push_back(name);
    }
    return names;
  }

  bool known_pool(std::string const& field, std::string const& name) {
    bool const known = !tenant_of(name) && (objects_.pools.contains(name) || context_.topology_pools.contains(name));
    if (!known) {
      fail(field, "there is no pool " + quoted(name), config::nearest_hint(name, pool_names()));
    }
    return known;
  }

  void look_at(Monitor const& monitor) {
    std::uint64_t const longest = std::uint64_t{monitor.timeout_ms} * (monitor.retries + 1);
    if (monitor.type != "push" && longest >= monitor.interval_ms) {
      fail("timeout_ms",
           "one check may take " + std::to_string(longest) + " ms and is due every " +
               std::to_string(monitor.interval_ms) + " ms",
           "timeout_ms times (retries + 1) must be less than interval_ms");
    }
    bool const asked = !monitor.expected_body_pattern.empty() && context_.pattern_problem;
    if (std::string const why = asked ? context_.pattern_problem(monitor.expected_body_pattern) : ""; !why.empty()) {
      fail("expected_body_pattern", quoted(monitor.expected_body_pattern) + " is no pattern: " + why);
    }
  }

  // Enabled origins, the nested ones included; what is nested in a circle counts once.
  std::size_t enabled_origins(std::string const& name, std::set<std::string>& seen) {
    if (!seen.insert(name).second) {
      return 0;
    }
    auto const found = objects_.pools.find(name);
    if (found == objects_.pools.end()) {
      auto const topology = context_.topology_pools.find(name);
      return topology == context_.topology_pools.end() ? 0 : topology->second;
    }
    std::size_t count = 0;
    for (Origin const& origin : found->second.origins) {
      count += origin.enabled ? 1 : 0;
    }
    for (std::string const& nested : found->second.pools) {
      auto const inner = objects_.pools.find(nested);
      count += inner == objects_.pools.end() || inner->second.enabled ? enabled_origins(nested, seen) : 0;
    }
    return count;
  }

  // The first way back to `start`, as the names on it; empty: none. `seen` holds what leads nowhere.
  bool way_back(std::string const& start, std::string const& at, std::set<std::string>& seen, Names& way) {
    way.push_back(at);
    auto const found = objects_.pools.find(at);
    for (std::string const& nested : found == objects_.pools.end() ? Names() : found->second.pools) {
      if (nested == start || (seen.insert(nested).second && way_back(start, nested, seen, way))) {
        return true;
      }
    }
    way.pop_back();
    return false;
  }

  // The longest chain of pools that begins at `name`; at most one more than is allowed.
  Names deepest(std::string const& name, std::size_t room) {
    Names best;
    auto const found = objects_.pools.find(name);
    for (std::string const& nested : found == objects_.pools.end() || room == 0 ? Names() : found->second.pools) {
      Names chain = deepest(nested, room - 1);
      if (chain.size() > best.size()) {
        best = std::move(chain);
      }
    }
    best.insert(best.begin(), name);
    return best;
  }

  static std::string chain_text(Names const& names) {
    std::string text;
    for (std::string const& name : names) {
      text += (text.empty() ? "" : " -> ") + name;
    }
    return text;
  }

  // False when the nesting has no end.
  bool look_at_nesting(Pool const& pool) {
    for (std::size_t i = 0; i < pool.pools.size(); ++i) {
      known_pool("pools[" + std::to_string(i) + "]", pool.pools[i]);
    }
    std::set<std::string> seen;
    Names circle;
    if (way_back(pool.name, pool.name, seen, circle)) {
      // Said once, at the first of its names.
      if (*std::min_element(circle.begin(), circle.end()) == pool.name) {
        circle.push_back(pool.name);
        fail("pools", "the pools are nested in a circle: " + chain_text(circle));
      }
      return false;
    }
    Names const chain = deepest(pool.name, nesting_max);
    if (chain.size() > nesting_max) {
      fail("pools", "pools are nested more than " + std::to_string(nesting_max) + " deep: " + chain_text(chain));
    }
    return true;
  }

  void look_at_ports(Pool const& pool, Monitor const& monitor) {
    for (std::size_t i = 0; i < pool.origins.size(); ++i) {
      Origin const& origin = pool.origins[i];
      std::string const place = "origins[" + std::to_string(i) + "]";
      if (monitor.type == "tcp" && monitor.port == 0 && origin.port == 0) {
        fail(place + ".port", "neither the origin nor the monitor " + quoted(monitor.name) + " says a port");
      }
      auto const address = parse_address(origin.address);
      bool const reached = !address || address->target.empty() || !origin.probe_address.empty();
      if (monitor.type != "push" && !reached) {
        fail(place + ".probe_address",
             "is missing: the monitor " + quoted(monitor.name) + " checks addresses, and this origin is a host name");
      }
    }
  }

  void look_at(Pool const& pool) {
    if (context_.topology_pools.contains(pool.name)) {
      fail("name", "the topology has a pool " + quoted(pool.name));
    }
    bool const foreign = tenant_of(pool.monitor) != tenant_of(pool.name) && !pool.monitor.empty();
    auto const monitor = foreign ? objects_.monitors.end() : objects_.monitors.find(pool.monitor);
    if (monitor != objects_.monitors.end()) {
      look_at_ports(pool, monitor->second);
    } else if (!pool.monitor.empty()) {
      Names known;
      for (auto const& [name, one] : objects_.monitors) {
        if (!tenant_of(name)) {
          known.push_back(name);
        }
      }
      fail("monitor", "there is no monitor " + quoted(pool.monitor), config::nearest_hint(pool.monitor, known));
    }
    if (!look_at_nesting(pool) || !pool.enabled) {
      return;
    }
    std::set<std::string> seen;
    std::size_t const count = enabled_origins(pool.name, seen);
    std::size_t const minimum = std::max<std::size_t>(pool.minimum_origins, 1);
    if (count < minimum) {
      fail("minimum_origins", "the pool can never be healthy: it has " + std::to_string(count) +
                                  " enabled origins and needs " + std::to_string(minimum));
    }
  }

  void look_at(Balancer const& balancer) {
    for (auto const& [field, name] : pools_named(balancer)) {
      known_pool(field, name);
    }
    std::set<std::string> const named = pools_of(objects_, balancer);
    for (auto const& [pool, weight] : balancer.pool_weights_permille) {
      if (!named.contains(pool)) {
        fail("random_steering.pool_weights." + pool, quoted(pool) + " is no pool of this load balancer",
             config::nearest_hint(pool, {named.begin(), named.end()}));
      }
    }
    std::string with_target;
    std::string with_address;
    for (std::string const& name : named) {
      auto const found = objects_.pools.find(name);
      bool const targets = found != objects_.pools.end() && has_targets(found->second);
      bool const addresses =
          found == objects_.pools.end() ? context_.topology_pools.contains(name) : has_addresses(found->second);
      with_target = targets ? name : with_target;
      with_address = addresses ? name : with_address;
    }
    if (!with_target.empty() && !with_address.empty()) {
      fail("default_pools", "host names (pool " + quoted(with_target) + ") and addresses (pool " +
                                quoted(with_address) + ") cannot be answered together");
    }
    if (!with_target.empty() && !balancer.service_bindings.empty()) {
      fail("service_bindings",
           "cannot stand beside the CNAME that host names (pool " + quoted(with_target) + ") are answered as",
           "the CNAME's target may have bindings of its own");
    }
    auto const name = dns::Name::parse(balancer.name);
    if (name && context_.name_facts) {
      look_at_name(balancer, context_.name_facts(*name), !with_target.empty());
    }
  }

  static bool has_addresses(Pool const& pool) {
    return std::any_of(pool.origins.begin(), pool.origins.end(), [](Origin const& origin) {
      auto const address = parse_address(origin.address);
      return address && address->target.empty();
    });
  }

  void look_at_name(Balancer const& balancer, NameFacts const& facts, bool cname) {
    if (facts.zone.empty()) {
      fail("name", quoted(balancer.name) + " is in no zone of this store", "import or create the zone first");
      return;
    }
    if (!facts.delegation.empty()) {
      fail("name", quoted(balancer.name) + " is delegated away at " + quoted(facts.delegation));
    }
    if (!facts.tenant.empty()) {
      fail("name", quoted(balancer.name) + " belongs to tenant " + quoted(facts.tenant));
    }
    static constexpr std::array<std::string_view, 6> replaced{"A", "AAAA", "CNAME", "DNAME", "ALIAS", "LUA"};
    for (std::string const& type : facts.types) {
      bool const clash = std::find(replaced.begin(), replaced.end(), type) != replaced.end() || binds(balancer, type);
      if (clash || (cname && !facts.apex)) {
        fail("name", quoted(balancer.name) + " has " + type + " records already",
             clash ? "" : "origins that are host names are answered as a CNAME, beside which nothing can stand");
      }
    }
    if (cname && facts.apex) {
      fail("name", quoted(balancer.name) + " is the apex of a zone, where no CNAME can stand",
           "use origins with addresses");
    }
    if (cname && facts.challenge) {
      fail("name", quoted(balancer.name) + " has challenge values: it cannot become a CNAME");
    }
  }

  Objects const& objects_;
  Context const& context_;
  std::string object_;
  base::Problems problems_;
};

}  // namespace

std::string path_of(Kind kind, std::string const& name) {
  return std::string(plural(kind)) + "[" + name + "]";
}

base::Problems check(Objects const& objects, Context const& context) {
  return Checker(objects, context).run();
}

bool names_pool(Balancer const& balancer, std::string const& pool) {
  auto const named = pools_named(balancer);
  return std::any_of(named.begin(), named.end(), [&pool](auto const& one) { return one.second == pool; });
}

bool binds(Balancer const& balancer, std::string_view type) {
  return std::any_of(balancer.service_bindings.begin(), balancer.service_bindings.end(),
                     [type](ServiceBinding const& binding) { return binding.type == type; });
}

bool answers_cname(Objects const& objects, Balancer const& balancer) {
  std::set<std::string> const named = pools_of(objects, balancer);
  return std::any_of(named.begin(), named.end(), [&objects](std::string const& name) {
    auto const found = objects.pools.find(name);
    return found != objects.pools.end() && has_targets(found->second);
  });
}

std::vector<std::string> users_of(Objects const& objects, Kind kind, std::string const& name) {
  Names users;
  for (auto const& [pool_name, pool] : objects.pools) {
    if (kind == Kind::monitor && pool.monitor == name) {
      users.push_back("pool " + pool_name);
    }
    if (kind == Kind::pool && std::find(pool.pools.begin(), pool.pools.end(), name) != pool.pools.end()) {
      users.push_back("pool " + pool_name + " (pools)");
    }
  }
  for (auto const& [balancer_name, balancer] : objects.load_balancers) {
    for (auto const& [field, pool] : kind == Kind::pool ? pools_named(balancer) : decltype(pools_named(balancer))()) {
      if (pool == name) {
        users.push_back("load_balancer " + balancer_name + " (" + field.substr(0, field.find('[')) + ")");
      }
    }
  }
  return users;
}

}  // namespace steering
