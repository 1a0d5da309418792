#include "dns-backend/tenant_pools/write.hpp"

#include <gmock/gmock.h>

namespace tenant_pools {
namespace {

Wanted wanted(std::string const& title, std::vector<std::string> const& addresses) {
  Wanted out;
  out.pool.title = title;
  for (std::string const& address : addresses) {
    out.pool.origins.push_back({"", address});
  }
  return out;
}

std::vector<std::string> numbers(Wanted const& placed) {
  std::vector<std::string> out;
  for (auto const& origin : placed.pool.origins) {
    out.push_back(origin.name);
  }
  return out;
}

using testing::ElementsAre;

TEST(Placing, NumbersAreUsedAgainButNotAtOnceForAnother) {
  steering::Objects own;
  tenants::Plan const plan{.name = "two", .pools = 2};
  auto const keep = [&own](Wanted const& placed) {
    steering::put(own, placed.pool);
    steering::put(own, placed.monitor);
  };
  auto const first = place(own, 7, wanted("web", {"203.0.113.1", "203.0.113.2"}), plan).value();
  EXPECT_EQ(first.pool.name, "tenant-7/1");
  EXPECT_EQ(first.pool.monitor, "tenant-7/1");
  EXPECT_EQ(first.monitor.name, "tenant-7/1");
  EXPECT_THAT(numbers(first), ElementsAre("1", "2"));
  keep(first);
  // The second stays the second; the new one does not inherit the health of the first.
  auto const next = place(own, 7, wanted("web", {"203.0.113.2", "203.0.113.3"}), plan).value();
  EXPECT_EQ(next.pool.name, "tenant-7/1");
  EXPECT_THAT(numbers(next), ElementsAre("2", "3"));
  keep(next);
  EXPECT_THAT(numbers(place(own, 7, wanted("web", {"203.0.113.9", "203.0.113.2"}), plan).value()),
              ElementsAre("1", "2"));
  auto const second = place(own, 7, wanted("api", {"203.0.113.1"}), plan).value();
  EXPECT_EQ(second.pool.name, "tenant-7/2");
  keep(second);
  auto const third = place(own, 7, wanted("more", {"203.0.113.1"}), plan);
  ASSERT_FALSE(third.has_value());
  EXPECT_EQ(third.error().code, store::errc::quota);
  steering::erase(own, steering::Kind::pool, "tenant-7/1");
  EXPECT_EQ(place(own, 7, wanted("more", {"203.0.113.1"}), plan).value().pool.name, "tenant-7/1");
}

TEST(Placing, OnlyTheTenantsOwnIsItsOwn) {
  steering::Objects all;
  for (char const* const name : {"tenant-1/1", "tenant-11/1", "tenant-2/1", "tenant-1", "web"}) {
    steering::Pool pool;
    pool.name = name;
    steering::put(all, pool);
  }
  auto const own = own_of(all, 1);
  ASSERT_EQ(own.pools.size(), 1U);
  EXPECT_EQ(own.pools.begin()->first, "tenant-1/1");
  EXPECT_EQ(steering::of_operator(all).pools.size(), 2U);
  EXPECT_EQ(steering::of_tenants(all).pools.size(), 3U);
}

}  // namespace
}  // namespace tenant_pools
