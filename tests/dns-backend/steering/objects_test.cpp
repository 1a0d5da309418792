#include "dns-backend/steering/objects.hpp"

#include <gmock/gmock.h>

namespace {

using steering::Kind;
using testing::ElementsAre;

TEST(Objects, ArePutFoundAndErasedByKindAndName) {
  steering::Objects objects;
  steering::Pool pool;
  pool.name = "p";
  steering::put(objects, pool);
  pool.site = "ams";
  steering::put(objects, pool);
  ASSERT_EQ(steering::all(objects).size(), 1U);
  EXPECT_EQ(std::get<steering::Pool>(*steering::find(objects, Kind::pool, "p")).site, "ams");
  EXPECT_FALSE(steering::find(objects, Kind::monitor, "p"));
  steering::erase(objects, Kind::monitor, "p");
  EXPECT_TRUE(steering::find(objects, Kind::pool, "p"));
  steering::erase(objects, Kind::pool, "p");
  EXPECT_EQ(objects, steering::Objects());
}

TEST(Difference, TellsWhatCameChangedAndWent) {
  steering::Objects before;
  steering::Objects after;
  before.monitors["gone"].name = "gone";
  before.pools["same"] = after.pools["same"] = steering::Pool{"same"};
  before.pools["other"] = steering::Pool{"other"};
  after.pools["other"] = steering::Pool{"other", "now described"};
  after.load_balancers["new.example."].name = "new.example.";
  auto const found = steering::difference(before, after);
  EXPECT_THAT(found.added, ElementsAre("load_balancer new.example."));
  EXPECT_THAT(found.changed, ElementsAre("pool other"));
  EXPECT_THAT(found.removed, ElementsAre("monitor gone"));
  EXPECT_TRUE(steering::difference(after, after).empty());
}

TEST(Kinds, HaveWords) {
  for (Kind const kind : steering::kinds) {
    EXPECT_EQ(steering::kind_of(steering::word(kind)), kind);
  }
  EXPECT_FALSE(steering::kind_of("pools"));
}

TEST(EndpointKeys, ArePoolAndOrigin) {
  steering::Objects objects;
  objects.pools["p"].name = "p";
  objects.pools["p"].origins = {{"a", "192.0.2.1"}, {"b", "192.0.2.2"}};
  EXPECT_THAT(steering::endpoint_keys(objects), ElementsAre("p/a", "p/b"));
}

}  // namespace
