#include "acme/gate/pulse.hpp"

#include <gtest/gtest.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>

namespace acme {
namespace {

using udp = net::asio::ip::udp;

// A site by UDP: answers every question with an SOA, or with REFUSED, or not at all.
struct NameServer {
  explicit NameServer(net::asio::io_context& loop) : socket(loop, {net::asio::ip::make_address("127.0.0.1"), 0}) {}
  net::Task<void> serve() {
    constexpr auto quiet = net::asio::as_tuple(net::asio::use_awaitable);
    std::array<char, 4096> buffer{};
    udp::endpoint peer;
    for (;;) {
      auto const [error, size] = co_await socket.async_receive_from(net::asio::buffer(buffer), peer, quiet);
      if (error) {
        co_return;
      }
      ++questions;
      if (!answers) {
        continue;
      }
      std::size_t end = 12;
      while (buffer[end] != 0) {
        end += static_cast<unsigned char>(buffer[end]) + 1U;
      }
      std::string text(buffer.data(), end + 5);
      text[2] = static_cast<char>(0x84);
      text[3] = refuses ? 5 : 0;
      text[7] = refuses ? 0 : 1;
      text[9] = text[11] = 0;
      if (!refuses) {  // of the question's name; root as both names, five numbers
        text += std::string("\xc0\x0c\x00\x06\x00\x01\x00\x00\x00\x00\x00\x16", 12) + std::string(22, '\0');
      }
      co_await socket.async_send_to(net::asio::buffer(text), peer, quiet);
    }
  }
  udp::socket socket;
  bool answers = true;
  bool refuses = false;
  int questions = 0;
};

class PulseTest : public testing::Test {
 protected:
  PulseTest() {
    net::spawn(loop.get_executor(), "site", site.serve());
    pulse = std::make_unique<Pulse>(
        loop.get_executor(), [this] { return heard(); },
        [] {
          return std::vector<std::string>{"stream.example.", "other.example."};
        },
        PulseSettings{std::chrono::milliseconds(5), std::chrono::milliseconds(50)});
  }
  std::vector<Site> heard() const {
    Site here{"here", "127.0.0.1", 1, true, 9};
    Site away{"away", "127.0.0.1", site.socket.local_endpoint().port(), is_heard, 7};
    return {here, away};
  }
  bool until(std::function<bool()> const& condition) {
    auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition() && std::chrono::steady_clock::now() < end) {
      loop.run_one_for(std::chrono::milliseconds(100));
      loop.restart();
    }
    return condition();
  }
  [[nodiscard]] bool in_service() const { return pulse->judge(heard())[1].in_service; }

  net::asio::io_context loop;
  NameServer site{loop};
  std::unique_ptr<Pulse> pulse;
  bool is_heard = false;
};

// A CA may ask it, so that orders wait; and what it still names is not forgotten by it.
TEST_F(PulseTest, ASiteThatIsCutOffAndAnswersIsInServiceAndBehind) {
  ASSERT_TRUE(until([this] { return site.questions >= 4; }));
  auto const sites = pulse->judge(heard());
  EXPECT_TRUE(sites[1].in_service);
  auto const view = look(sites, 9, {});
  ASSERT_EQ(view.behind.size(), 1U);
  EXPECT_EQ(view.behind.front(), "away has revision 7 of 9, is cut off and may still answer");
  EXPECT_EQ(acknowledged_everywhere(sites, 9), 7);
}

TEST_F(PulseTest, OneThatDoesNotAnswerEitherIsOutOfServiceUntilItAnswers) {
  site.answers = false;
  EXPECT_TRUE(in_service()) << "it is not known yet";
  ASSERT_TRUE(until([this] { return !in_service(); }));
  EXPECT_EQ(acknowledged_everywhere(pulse->judge(heard()), 9), 9);
  site.answers = true;
  EXPECT_TRUE(until([this] { return in_service(); }));
}

TEST_F(PulseTest, ANameServerWithoutOurZonesIsNoSite) {
  site.refuses = true;
  EXPECT_TRUE(until([this] { return !in_service(); }));
}

TEST_F(PulseTest, SitesThatAreHeardOfAreNotAskedAndBeginAnew) {
  site.answers = false;
  ASSERT_TRUE(until([this] { return !in_service(); }));
  is_heard = true;
  EXPECT_TRUE(in_service());
  int const questions = site.questions;
  for (int i = 0; i < 20; ++i) {
    loop.run_one_for(std::chrono::milliseconds(10));
    loop.restart();
  }
  EXPECT_LE(site.questions, questions + 1) << "at most the look that was under way";
  is_heard = false;
  EXPECT_TRUE(in_service()) << "what was so before it was heard of says nothing";
}

}  // namespace
}  // namespace acme
