#include "dns-backend/purge/purge.hpp"

#include "dns-backend/purge/purge_queue.hpp"
#include "tests/dns-backend/remote/world.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/temporary_folder.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>

#include <functional>

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Protocol = asio::local::stream_protocol;
using testing::ElementsAre;

// PowerDNS's control socket as 4.7.3 behaves: one line, one answer, end of file; silent when told so.
struct Control {
  explicit Control(asio::io_context& loop, std::string const& path)
      : acceptor(loop, Protocol::endpoint(path)), arrived(loop.get_executor()) {}
  Protocol::acceptor acceptor;
  net::Signal arrived;
  std::vector<std::string> commands;
  std::string answer = "2";
  bool silent = false;
  std::vector<std::shared_ptr<Protocol::socket>> held;
};

net::Task<void> serve(Control& control) {
  for (;;) {
    Protocol::socket socket = co_await control.acceptor.async_accept(asio::use_awaitable);
    std::string line;
    co_await asio::async_read_until(socket, asio::dynamic_buffer(line), '\n', asio::use_awaitable);
    control.commands.push_back(line);
    control.arrived.notify();
    if (control.silent) {
      control.held.push_back(std::make_shared<Protocol::socket>(std::move(socket)));
      continue;
    }
    co_await asio::async_write(socket, asio::buffer(control.answer), asio::use_awaitable);
  }
}

class Purging : public testing::Test {
 protected:
  asio::io_context loop{1};
  test::TemporaryFolder folder;
  process::Metrics metrics;
  std::string path = folder.file("control");
  purge::PurgerSettings settings{{path}, 200ms, 50ms};

  // Runs the loop until the condition holds; throws after 10 s.
  static net::Task<void> wait_until(std::function<bool()> condition) {
    for (int i = 0; i < 2000; ++i) {
      if (condition()) {
        co_return;
      }
      co_await net::wait_for(5ms);
    }
    throw std::runtime_error("the condition never held");
  }
  void until(std::function<bool()> const& condition) { test::run_task(loop, wait_until(condition)); }
};

TEST_F(Purging, NamesAreSentOnceAtOnceAndOnceMore) {
  Control control(loop, path);
  net::spawn(loop.get_executor(), "control", serve(control));
  purge::Purger purger(loop.get_executor(), settings, metrics);
  purger.purge_everything();
  until([&] { return purger.status()[0].commands == 1; });
  purger.purge({{test::name("www.example.org."), false}, {test::name("example.com."), true}});
  until([&] { return purger.status()[0].commands == 3; });
  EXPECT_THAT(control.commands, ElementsAre("PURGE\n", "PURGE example.com.$ www.example.org.\n", "PURGE example.com.$ www.example.org.\n"));
  auto const status = purger.status()[0];
  EXPECT_EQ(status.entries, 6U);
  EXPECT_EQ(status.waiting, 0U);
  EXPECT_EQ(status.last_error, "");
}

TEST_F(Purging, APowerDnsThatIsNotThereLosesNothing) {
  purge::Purger purger(loop.get_executor(), settings, metrics);
  purger.purge_everything();
  purger.purge({{test::name("www.example.org."), false}});
  until([&] { return purger.status()[0].failures > 0; });
  EXPECT_THAT(purger.status()[0].last_error, testing::HasSubstr("connecting to"));
  EXPECT_GT(purger.status()[0].waiting, 0U);
  Control control(loop, path);
  net::spawn(loop.get_executor(), "control", serve(control));
  until([&] { return purger.status()[0].commands > 0; });
  EXPECT_EQ(control.commands.at(0), "PURGE\n") << "what changed before the start is not known";
  EXPECT_EQ(purger.status()[0].last_error, "");
}

TEST_F(Purging, ASilentPowerDnsIsGivenUpAtTheDeadlineAndTriedAgain) {
  Control control(loop, path);
  control.silent = true;
  net::spawn(loop.get_executor(), "control", serve(control));
  purge::Purger purger(loop.get_executor(), settings, metrics);
  purger.purge({{test::name("www.example.org."), false}});
  until([&] { return purger.status()[0].failures > 0; });
  control.silent = false;
  until([&] { return purger.status()[0].commands > 0; });
  EXPECT_GE(control.commands.size(), 2U);
}

TEST_F(Purging, AnAnswerThatIsNoNumberIsAFailure) {
  Control control(loop, path);
  control.answer = "Unknown command: 'PURGE'";
  net::spawn(loop.get_executor(), "control", serve(control));
  purge::Purger purger(loop.get_executor(), settings, metrics);
  purger.purge({{test::name("www.example.org."), false}});
  until([&] { return purger.status()[0].failures > 0; });
  EXPECT_THAT(purger.status()[0].last_error, testing::HasSubstr("Unknown command"));
}

TEST_F(Purging, EverySocketHasAQueueOfItsOwn) {
  Control control(loop, path);
  net::spawn(loop.get_executor(), "control", serve(control));
  settings.sockets.push_back(folder.file("missing"));
  purge::Purger purger(loop.get_executor(), settings, metrics);
  purger.purge({{test::name("www.example.org."), false}});
  until([&] { return purger.status()[0].commands >= 2 && purger.status()[1].failures > 0; });
  EXPECT_EQ(purger.status()[1].commands, 0U);
}

TEST(ZoneArrivals, TheFirstListingPurgesEverythingAndLaterOnesWhatCameOrWent) {
  purge::ZoneArrivals arrivals;
  purge::ZoneArrivals::Time const start{};
  auto const words = [](std::vector<store::Touched> const& names) {
    std::vector<std::string> out;
    for (auto const& one : names) {
      out.push_back(purge::purge_word(one));
    }
    return out;
  };
  auto const with = [](std::vector<std::string> const& apexes, std::int64_t revision) {
    std::vector<test::ZoneDraft> drafts;
    for (auto const& apex : apexes) {
      drafts.emplace_back();
      drafts.back().apex = apex;
      drafts.back().id = static_cast<std::int64_t>(drafts.size());
    }
    auto snapshot = test::snapshot(drafts);
    snapshot->revision = revision;
    return snapshot;
  };
  EXPECT_THAT(words(arrivals.listed(*with({"a.org."}, 1), start)), ElementsAre(".$"));
  EXPECT_THAT(words(arrivals.listed(*with({"a.org."}, 1), start)), ElementsAre());
  EXPECT_THAT(words(arrivals.listed(*with({"a.org.", "b.org."}, 2), start + 1min)), ElementsAre("b.org.$"));
  EXPECT_THAT(words(arrivals.listed(*with({"b.org."}, 3), start + 2min)), ElementsAre("a.org.$", "b.org.$"));
  EXPECT_THAT(words(arrivals.listed(*with({"b.org."}, 3), start + 61min + 30s)), ElementsAre("a.org.$"));
  EXPECT_THAT(words(arrivals.listed(*with({"b.org."}, 3), start + 3h)), ElementsAre());
}

}  // namespace
