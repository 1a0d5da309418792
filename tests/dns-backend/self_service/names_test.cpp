#include "dns-backend/self_service/names.hpp"

#include "dns-backend/self_service/self_service.hpp"
#include "tests/support/run_task.hpp"

#include <gmock/gmock.h>
#include <boost/asio/io_context.hpp>

namespace self_service {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

store::PoolRow pool(std::string name, std::string address) {
  store::PoolRow row;
  row.name = std::move(name);
  row.endpoints = {{row.name + "-1", std::move(address), "", "", true, 1}};
  return row;
}

TEST(Names, EachClusterHasOneAndAllOfThemTogether) {
  NameTiers const tiers{"edge.example.org", "edge.example.org"};
  auto const names = wanted_names({pool("ams", "192.0.2.1"), pool("fra", "192.0.2.2")}, tiers);
  ASSERT_EQ(names.size(), 3U);
  EXPECT_EQ(names[0].name, "ams.edge.example.org.");
  EXPECT_THAT(names[0].default_pools, ElementsAre("ams"));
  EXPECT_EQ(names[2].name, "edge.example.org.");
  EXPECT_THAT(names[2].default_pools, ElementsAre("ams", "fra"));
  EXPECT_THAT(wanted_names({pool("ams", "192.0.2.1")}, {}), IsEmpty());
  EXPECT_THAT(wanted_names({}, tiers), IsEmpty()) << "without clusters there is nothing to answer with";
}

TEST(Names, FollowTheClustersAndLeaveAnOperatorsAlone) {
  boost::asio::io_context loop{1};
  pool::HealthTable health;
  auto const store = store::Store::open("sqlite://:memory:", {}, health, loop.get_executor()).value();
  dns::Name const apex = dns::Name::parse("example.org").value();
  std::vector<dns::OwnedRRset> const zone{{apex, {dns::type_soa, 60, {"ns. host. 1 2 3 4 5"}}},
                                          {apex, {dns::type_ns, 60, {"ns."}}}};
  test::run_task(loop, store->import_zone(apex, zone)).value();
  test::run_task(loop, store->set_pools({pool("ams", "192.0.2.1"), pool("fra", "192.0.2.2")})).value();
  steering::Balancer operators;
  operators.name = "fra.edge.example.org.";
  operators.description = "mine";
  operators.default_pools = {"ams"};
  ASSERT_THAT(test::run_task(loop, store->put_steering(operators)).value().problems, IsEmpty());
  NameTiers const tiers{"edge.example.org", ""};
  ASSERT_TRUE(test::run_task(loop, keep_names(*store, tiers)));
  auto present = test::run_task(loop, store->steering()).value();
  EXPECT_EQ(present.load_balancers.size(), 2U);
  EXPECT_EQ(present.load_balancers.at("fra.edge.example.org.").description, "mine");
  auto const revision = store->revision();
  ASSERT_TRUE(test::run_task(loop, keep_names(*store, tiers)));
  EXPECT_EQ(store->revision(), revision) << "equal: nothing is written";
  ASSERT_TRUE(test::run_task(loop, keep_names(*store, {})));
  present = test::run_task(loop, store->steering()).value();
  EXPECT_EQ(present.load_balancers.size(), 1U);
}

}  // namespace
}  // namespace self_service
