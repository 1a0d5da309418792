#include "routing/bird/control.hpp"

#include "tests/routing/bird/fake_bird.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <optional>

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

template <class T>
net::Task<void> keep(net::Task<base::Result<T>> task, std::shared_ptr<std::optional<base::Result<T>>> slot,
                     boost::asio::io_context& io) {
  slot->emplace(co_await std::move(task));
  io.stop();
}

// Runs `task` on `io` to its end.
template <class T>
base::Result<T> run(boost::asio::io_context& io, net::Task<base::Result<T>> task) {
  auto slot = std::make_shared<std::optional<base::Result<T>>>();
  net::spawn(io.get_executor(), "test", keep<T>(std::move(task), slot, io));
  io.restart();
  io.run_for(20s);
  EXPECT_TRUE(slot->has_value()) << "the task did not end";
  return slot->has_value() ? **slot : base::Result<T>(base::fail(bird::errc::bad_reply, "the task did not end"));
}

TEST(ReplyReader, CarriesTheCodeOverContinuationsAndLeavesOutAsynchronousLines) {
  bird::ReplyReader reader;
  for (auto const* line : {"1013-ospf4:", " one", "+2026 something happened", " two", "1014-next"}) {
    ASSERT_FALSE(reader.feed(line).value()) << line;
  }
  EXPECT_TRUE(reader.feed("0000 ").value());
  EXPECT_THAT(reader.reply().lines, ElementsAre(bird::Reply::Line{1013, "ospf4:"}, bird::Reply::Line{1013, "one"},
                                                bird::Reply::Line{1013, "two"}, bird::Reply::Line{1014, "next"}));
}

TEST(ReplyReader, RefusesWhatIsNoReply) {
  for (auto const* line : {"", " continuation of nothing", "12", "abcd text", "0000", "0000text", "HTTP/1.1 200 OK"}) {
    bird::ReplyReader reader;
    auto const fed = reader.feed(line);
    ASSERT_FALSE(fed.has_value()) << line;
    EXPECT_EQ(fed.error().code, bird::errc::bad_reply) << line;
  }
}

TEST(BirdControl, AsksOnAConnectionOfItsOwnEachTime) {
  boost::asio::io_context io;
  fake_bird::FakeBird bird(io, [](std::string const&) { return "0011-anycast_dns_4: enabled\n0000 \n"; });
  bird::Control const control(bird.path());
  EXPECT_TRUE(run(io, control.enable("anycast_dns_4")).has_value());
  EXPECT_TRUE(run(io, control.disable("anycast_dns_4")).has_value());
  EXPECT_THAT(bird.commands(), ElementsAre("enable \"anycast_dns_4\"", "disable \"anycast_dns_4\""));
}

TEST(BirdControl, TellsARefusalFromABadCommandAndQuotesBird) {
  boost::asio::io_context io;
  fake_bird::FakeBird bird(io, [](std::string const& command) -> std::string {
    return command == "frob" ? "9001 syntax error, unexpected CF_SYM_UNDEFINED\n"
                             : "0002-Reading configuration from /x\n8002 /x:3:1 Unknown thing\n";
  });
  bird::Control const control(bird.path());
  auto const syntax = run(io, control.command("frob"));
  EXPECT_EQ(syntax.error().code, bird::errc::syntax);
  auto const failed = run(io, control.check("/x"));
  EXPECT_EQ(failed.error().code, bird::errc::failed);
  EXPECT_THAT(failed.error().detail, HasSubstr("/x:3:1 Unknown thing"));
}

TEST(BirdControl, NeverSendsAnArgumentThatWouldBeASecondCommand) {
  boost::asio::io_context io;
  fake_bird::FakeBird bird(io, [](std::string const&) { return "0000 \n"; });
  bird::Control const control(bird.path());
  for (std::string const& name : {std::string("a\" all"), std::string("a\ndown"), std::string("a\0b", 3)}) {
    EXPECT_EQ(run(io, control.disable(name)).error().code, bird::errc::syntax);
  }
  EXPECT_TRUE(bird.commands().empty());
}

TEST(BirdControl, SaysThatNobodyListens) {
  boost::asio::io_context io;
  bird::Control const control("/nonexistent/bird.ctl");
  auto const reply = run(io, control.command("show status"));
  EXPECT_EQ(reply.error().code, bird::errc::unreachable);
  EXPECT_THAT(reply.error().detail, HasSubstr("/nonexistent/bird.ctl"));
  EXPECT_EQ(run(io, bird::Control(std::string(200, 'x')).command("show status")).error().code, bird::errc::unreachable);
}

TEST(BirdControl, GivesUpAtTheDeadlineOnABirdThatHangs) {
  boost::asio::io_context io;
  fake_bird::FakeBird bird(io, [](std::string const&) { return "hang"; });
  EXPECT_EQ(run(io, bird::Control(bird.path(), 50ms).command("show status")).error().code, net::errc::timed_out);
}

TEST(BirdControl, RefusesAReplyThatEndsEarlyOrNeverOrIsNotOne) {
  boost::asio::io_context io;
  std::string reply;
  fake_bird::FakeBird bird(io, [&reply](std::string const&) { return reply; });
  bird::Control const control(bird.path());
  EXPECT_EQ(run(io, control.command("show status")).error().code, bird::errc::bad_reply);
  reply = "hello\n";
  EXPECT_EQ(run(io, control.command("show status")).error().code, bird::errc::bad_reply);
  reply = std::string(5U << 20U, 'x');
  EXPECT_EQ(run(io, control.command("show status")).error().code, bird::errc::too_large);
}

// The real daemon, without a kernel protocol, so that it touches no route of the machine.
class RealBird : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system("command -v bird >/dev/null 2>&1") != 0) {
      GTEST_SKIP() << "bird is not installed";
    }
    folder_ = std::filesystem::temp_directory_path() / ("real-bird-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    write("bird.conf", configuration);
    pid_ = ::fork();
    if (pid_ == 0) {
      std::string const conf = path("bird.conf");
      std::string const ctl = path("bird.ctl");
      std::string const pid = path("bird.pid");
      ::execlp("bird", "bird", "-f", "-c", conf.c_str(), "-s", ctl.c_str(), "-P", pid.c_str(), nullptr);
      ::_exit(127);
    }
  }
  void TearDown() override {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    std::filesystem::remove_all(folder_);
  }
  [[nodiscard]] std::string path(char const* name) const { return (folder_ / name).string(); }
  void write(char const* name, std::string const& text) const { std::ofstream(path(name)) << text; }

  // The first answer of a BIRD that is just starting.
  base::Result<std::vector<bird::ProtocolRow>> first_answer(bird::Control const& control) {
    auto const deadline = std::chrono::steady_clock::now() + 10s;
    auto rows = run(io_, control.protocols());
    while (!rows && std::chrono::steady_clock::now() < deadline) {
      rows = run(io_, control.protocols());
    }
    return rows;
  }

  static constexpr char const* configuration =
      "log \"/dev/null\" all;\nrouter id 10.0.0.1;\nprotocol device { }\n"
      "protocol static anycast_dns_4 { disabled; ipv4; route 198.51.100.53/32 blackhole; }\n"
      "protocol ospf v2 ospf4 { area 0 { }; }\nprotocol bfd bfd1 { }\n";
  boost::asio::io_context io_;
  std::filesystem::path folder_;
  pid_t pid_ = 0;
};

std::string state_of(std::vector<bird::ProtocolRow> const& rows, std::string const& name) {
  for (auto const& row : rows) {
    if (row.name == name) {
      return row.state;
    }
  }
  return "absent";
}

TEST_F(RealBird, IsAskedEnabledDisabledAndReconfigured) {
  bird::Control const control(path("bird.ctl"));
  auto const first = first_answer(control);
  ASSERT_TRUE(first.has_value()) << first.error().what();
  EXPECT_EQ(state_of(*first, "anycast_dns_4"), "down");

  ASSERT_TRUE(run(io_, control.enable("anycast_dns_4")).has_value());
  ASSERT_TRUE(run(io_, control.enable("anycast_dns_4")).has_value()) << "enabling twice is a success";
  EXPECT_EQ(state_of(*run(io_, control.protocols()), "anycast_dns_4"), "up");
  ASSERT_TRUE(run(io_, control.disable("anycast_dns_4")).has_value());
  EXPECT_EQ(state_of(*run(io_, control.protocols()), "anycast_dns_4"), "down");
  EXPECT_EQ(run(io_, control.enable("nobody")).error().code, bird::errc::failed);

  EXPECT_TRUE(run(io_, control.ospf_neighbors()).value().empty());
  EXPECT_TRUE(run(io_, control.bfd_sessions()).value().empty());

  write("wrong.conf", "router id nonsense;\n");
  EXPECT_EQ(run(io_, control.check(path("wrong.conf"))).error().code, bird::errc::failed);
  write("next.conf", std::string(configuration) + "protocol static another { ipv4; }\n");
  ASSERT_TRUE(run(io_, control.check(path("next.conf"))).has_value());
  ASSERT_TRUE(run(io_, control.configure(path("next.conf"))).has_value());
  EXPECT_EQ(state_of(*run(io_, control.protocols()), "another"), "up");
}

}  // namespace
