#include "dns-backend/overrides/overrides.hpp"

#include "tests/support/run_task.hpp"
#include "tests/support/temporary_folder.hpp"

#include <boost/asio/io_context.hpp>

#include <gmock/gmock.h>

namespace overrides {
namespace {

using monitor::Forced;

class OverridesTest : public testing::Test {
 protected:
  OverridesTest() {
    auto opened = database::Database::open("sqlite://" + folder.file("store.db"), {schema()});
    thread = std::make_unique<database::StoreThread>(std::move(opened).value());
    orders = std::make_unique<Overrides>(*thread);
  }
  base::Result<database::Revision> set(std::string const& endpoint, monitor::Override const& order,
                                       std::int64_t now_ms = 1000) {
    return test::run_task(loop, orders->set(endpoint, order, now_ms));
  }
  Orders at(std::int64_t now_ms) {
    auto found = test::run_task(loop, orders->orders(now_ms));
    EXPECT_TRUE(found) << found.error().what();
    return found ? *found : Orders();
  }

  test::TemporaryFolder folder;
  boost::asio::io_context loop;
  std::unique_ptr<database::StoreThread> thread;
  std::unique_ptr<Overrides> orders;
};

TEST_F(OverridesTest, AreKeptReplacedAndTakenBack) {
  auto const first = set("edge-1", {Forced::draining, 0, "new disk"});
  ASSERT_TRUE(first) << first.error().what();
  EXPECT_GT(*first, 0) << "replicas hear of it";
  ASSERT_TRUE(set("web/a", {Forced::up, 5000, ""}));
  EXPECT_EQ(at(2000).at("edge-1"), (monitor::Override{Forced::draining, 0, "new disk"}));
  EXPECT_EQ(at(2000).at("web/a").until_ms, 5000);
  ASSERT_TRUE(set("edge-1", {Forced::down, 0, ""}));
  EXPECT_EQ(at(2000).at("edge-1").to, Forced::down);
  ASSERT_TRUE(test::run_task(loop, orders->clear("edge-1", 2000)));
  EXPECT_FALSE(at(2000).contains("edge-1"));
  auto const again = test::run_task(loop, orders->clear("edge-1", 2000));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, errc::not_found);
}

TEST_F(OverridesTest, EndByThemselves) {
  ASSERT_TRUE(set("a", {Forced::down, 5000, ""}));
  EXPECT_TRUE(at(4999).contains("a"));
  EXPECT_FALSE(at(5000).contains("a"));
  EXPECT_FALSE(test::run_task(loop, orders->clear("a", 5000))) << "there is nothing to take back any more";
}

TEST_F(OverridesTest, RefuseWhatMakesNoSense) {
  for (auto const& [endpoint, order] :
       std::vector<std::pair<std::string, monitor::Override>>{{"", {Forced::up, 0, ""}},
                                                              {std::string(513, 'x'), {Forced::up, 0, ""}},
                                                              {"a", {Forced::none, 0, ""}},
                                                              {"a", {Forced::up, 1000, ""}},
                                                              {"a", {Forced::up, 0, std::string(257, 'x')}}}) {
    auto const done = set(endpoint, order);
    ASSERT_FALSE(done) << endpoint;
    EXPECT_EQ(done.error().code, errc::refused);
  }
  EXPECT_TRUE(at(1000).empty());
  EXPECT_FALSE(parse_forced("none"));
  EXPECT_EQ(parse_forced("draining"), Forced::draining);
}

}  // namespace
}  // namespace overrides
