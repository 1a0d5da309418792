#include "dns-backend/snapshot/persistent/balanced_names.hpp"

#include <gmock/gmock.h>

namespace store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

pool::PoolPtr pool_of(std::string name, std::vector<std::string> const& endpoints,
                      std::vector<pool::PoolPtr> nested = {}) {
  auto made = std::make_shared<pool::Pool>();
  made->name = std::move(name);
  for (std::string const& endpoint : endpoints) {
    made->endpoints.emplace_back();
    made->endpoints.back().name = endpoint;
  }
  made->pools = std::move(nested);
  return made;
}

pool::LoadBalancer over(std::vector<pool::PoolPtr> pools) {
  pool::LoadBalancer balancer;
  balancer.pools = std::move(pools);
  return balancer;
}

std::vector<std::string> names(BalancedNames const& index, std::string_view pool) {
  std::vector<std::string> out;
  index.names_of(pool).for_each([&out](auto const& item) { out.push_back(item->key); });
  return out;
}

TEST(BalancedNames, ListEveryPoolThatIsReached) {
  auto const inner = pool_of("inner", {"i"});
  pool::LoadBalancer balancer = over({pool_of("outer", {"o"}, {inner})});
  balancer.fallback_pool = pool_of("last", {"l"});
  balancer.region_pools["DE"] = {pool_of("german", {"g"})};
  BalancedNames index;
  index.set("b", nullptr, &balancer);
  for (char const* const pool : {"inner", "outer", "last", "german"}) {
    EXPECT_THAT(names(index, pool), ElementsAre("b")) << pool;
  }
  EXPECT_THAT(index.pools_with("i"), ElementsAre("inner"));
  EXPECT_THAT(index.pools_with("nobody"), IsEmpty());
  EXPECT_THAT(names(index, "nothing"), IsEmpty());
  index.set("b", &balancer, nullptr);
  EXPECT_THAT(names(index, "inner"), IsEmpty());
  EXPECT_THAT(index.pools_with("i"), IsEmpty());
}

TEST(BalancedNames, AreOrderedAndShared) {
  auto const pool = pool_of("p", {"x", "y"});
  pool::LoadBalancer const balancer = over({pool});
  BalancedNames index;
  for (char const* const key : {"c", "a", "b"}) {
    index.set(key, nullptr, &balancer);
  }
  BalancedNames const before = index;
  index.set("b", &balancer, nullptr);
  EXPECT_THAT(names(index, "p"), ElementsAre("a", "c"));
  EXPECT_THAT(names(before, "p"), ElementsAre("a", "b", "c")) << "a copy is a value";
}

TEST(BalancedNames, FollowThePoolsEndpoints) {
  auto const old_pool = pool_of("p", {"x", "shared"});
  auto const other = pool_of("q", {"shared"});
  pool::LoadBalancer const before = over({old_pool, other});
  pool::LoadBalancer const after = over({pool_of("p", {"y"}), other});
  BalancedNames index;
  index.set("a", nullptr, &before);
  EXPECT_THAT(index.pools_with("shared"), ElementsAre("p", "q"));
  index.set("a", &before, &after);
  EXPECT_THAT(index.pools_with("x"), IsEmpty());
  EXPECT_THAT(index.pools_with("y"), ElementsAre("p"));
  EXPECT_THAT(index.pools_with("shared"), ElementsAre("q"));
  EXPECT_THAT(names(index, "p"), ElementsAre("a"));
}

}  // namespace
}  // namespace store
