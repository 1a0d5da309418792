#include "routing/anycast/backend_check.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>

namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using Octets = std::vector<std::uint8_t>;

Octets reply_to(Octets question, std::uint8_t third, std::uint8_t fourth) {
  question[2] = third;
  question[3] = fourth;
  return question;
}

TEST(BackendQuestion, IsASoaQueryForTheLabelBelowTheZone) {
  Octets const wanted{0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 'a', 'b', 2, 'e', 'x', 0, 0, 6, 0, 1};
  EXPECT_EQ(anycast::backend_question("ab", "ex.", 0x1234), wanted);
  EXPECT_EQ(anycast::backend_question("ab", "ex", 0x1234), wanted);
  EXPECT_EQ(anycast::backend_question("ab", ".", 1).size(), 12U + 4U + 4U);
}

TEST(BackendQuestion, OfANameThatCannotBeIsEmpty) {
  EXPECT_TRUE(anycast::backend_question("ab", "a..b.", 1).empty());
  EXPECT_TRUE(anycast::backend_question("ab", std::string(64, 'x') + ".", 1).empty());
  EXPECT_TRUE(anycast::backend_question("", "example.", 1).empty());
  std::string deep;
  for (int i = 0; i < 126; ++i) {
    deep += "x.";
  }
  EXPECT_TRUE(anycast::backend_question("label", deep, 1).empty());
  EXPECT_FALSE(anycast::backend_question("l", deep, 1).empty());
}

TEST(BackendAnswer, MustCarryTheIdAndTheQuestion) {
  auto const question = anycast::backend_question("ab", "example.", 7);
  EXPECT_TRUE(anycast::answers(reply_to(question, 0x84, 3), question));
  EXPECT_FALSE(anycast::answers(question, question)) << "the question itself";
  EXPECT_FALSE(anycast::answers(reply_to(anycast::backend_question("ab", "example.", 8), 0x84, 0), question));
  EXPECT_FALSE(anycast::answers(reply_to(anycast::backend_question("ac", "example.", 7), 0x84, 0), question));
  auto cut = reply_to(question, 0x84, 0);
  cut.resize(14);
  EXPECT_FALSE(anycast::answers(cut, question));
  EXPECT_FALSE(anycast::answers(Octets{}, question));
  EXPECT_FALSE(anycast::answers(Octets{}, Octets{}));
}

TEST(BackendAnswer, IsGoodWithAuthorityWhetherTheNameExistsOrNot) {
  auto const question = anycast::backend_question("ab", "example.", 7);
  EXPECT_TRUE(anycast::judge_backend(reply_to(question, 0x84, 0)).success);
  EXPECT_TRUE(anycast::judge_backend(reply_to(question, 0x84, 3)).success);
  EXPECT_FALSE(anycast::judge_backend(reply_to(question, 0x80, 3)).success);
  auto const failed = anycast::judge_backend(reply_to(question, 0x84, 2));
  EXPECT_FALSE(failed.success);
  EXPECT_THAT(failed.reason, HasSubstr("SERVFAIL"));
}

// A name server on loopback that answers each query with what the test says.
net::Task<void> serve(std::shared_ptr<boost::asio::ip::udp::socket> socket,
                      std::function<std::vector<Octets>(Octets)> answer_with) {
  for (;;) {
    Octets buffer(512);
    boost::asio::ip::udp::endpoint peer;
    boost::system::error_code error;
    auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error);
    std::size_t const size = co_await socket->async_receive_from(boost::asio::buffer(buffer), peer, token);
    if (error) {
      co_return;
    }
    buffer.resize(size);
    for (auto const& datagram : answer_with(buffer)) {
      socket->send_to(boost::asio::buffer(datagram), peer);
    }
  }
}

net::Task<void> keep(net::Task<probe::Verdict> task, probe::Verdict& slot, boost::asio::io_context& io) {
  slot = co_await std::move(task);
  io.stop();
}

probe::Verdict asked(std::function<std::vector<Octets>(Octets)> answer_with, std::chrono::milliseconds timeout = 5s) {
  boost::asio::io_context io;
  auto socket = std::make_shared<boost::asio::ip::udp::socket>(
      io, boost::asio::ip::udp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  net::spawn(io.get_executor(), "server", serve(socket, std::move(answer_with)));
  probe::Check check;
  check.address = "127.0.0.1";
  check.port = socket->local_endpoint().port();
  check.qname = "stream.example.";
  check.timeout = timeout;
  probe::Verdict verdict{false, "nothing happened", {}};
  net::spawn(io.get_executor(), "test", keep(anycast::ask_backend(check), verdict, io));
  io.run_for(20s);
  socket->close();
  return verdict;
}

TEST(AskBackend, NeverAsksTheSameNameTwice) {
  std::vector<Octets> questions;
  auto const answer = [&questions](Octets question) {
    questions.emplace_back(question.begin() + 12, question.end());
    return std::vector<Octets>{reply_to(question, 0x84, 3)};
  };
  EXPECT_TRUE(asked(answer).success);
  EXPECT_TRUE(asked(answer).success);
  ASSERT_EQ(questions.size(), 2U);
  EXPECT_NE(questions[0], questions[1]);
}

TEST(AskBackend, PassesOverDatagramsThatAnswerSomethingElse) {
  auto const verdict = asked([](Octets const& question) {
    auto late = reply_to(question, 0x84, 0);
    late[0] ^= 0xffU;
    return std::vector<Octets>{late, Octets{1, 2, 3}, reply_to(question, 0x84, 2)};
  });
  EXPECT_FALSE(verdict.success);
  EXPECT_THAT(verdict.reason, HasSubstr("SERVFAIL"));
}

TEST(AskBackend, FailsWhenNobodyAnswersInTime) {
  auto const verdict = asked([](Octets const&) { return std::vector<Octets>{}; }, 30ms);
  EXPECT_FALSE(verdict.success);
  EXPECT_THAT(verdict.reason, HasSubstr("no answer"));
}

}  // namespace
