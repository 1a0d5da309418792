#include "mesh/handing_out/handing_out.hpp"

#include "base/gzip/gzip.hpp"

#include "tests/support/run_task.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <optional>

namespace {

using namespace std::chrono_literals;
using handing_out::HandingOut;
using handing_out::Limits;

class HandingOutTest : public testing::Test {
 protected:
  using Slot = std::shared_ptr<std::optional<net::HttpResponse>>;

  Slot ask(HandingOut& out, std::string accepted = "", boost::asio::cancellation_slot cancel = {}) {
    auto slot = std::make_shared<std::optional<net::HttpResponse>>();
    auto const keep = [slot](std::exception_ptr failed, net::HttpResponse answer) {
      if (!failed) {
        *slot = std::move(answer);
      }
    };
    boost::asio::co_spawn(loop_, out.answer(std::move(accepted)), boost::asio::bind_cancellation_slot(cancel, keep));
    settle();
    return slot;
  }
  void settle() {
    loop_.restart();
    loop_.poll();
  }

  boost::asio::io_context loop_{1};
};

TEST_F(HandingOutTest, EverybodyGetsTheSameOctetsFromOnePlace) {
  HandingOut out(loop_.get_executor());
  out.set("{\"revision\":1}");
  auto const a = ask(out);
  auto const b = ask(out);
  EXPECT_EQ(*(*a)->shared_body, "{\"revision\":1}");
  EXPECT_EQ((*a)->shared_body.get(), (*b)->shared_body.get()) << "no copy for each";
  EXPECT_EQ((*a)->shared_body.get(), &out.text());
  out.set("{\"revision\":2}");
  EXPECT_EQ(*(*a)->shared_body, "{\"revision\":1}") << "what is under way stays whole";
  EXPECT_EQ(*(*ask(out))->shared_body, "{\"revision\":2}");
}

TEST_F(HandingOutTest, CompressesOnceForThoseWhoAcceptIt) {
  HandingOut out(loop_.get_executor());
  std::string const text(100000, 'x');
  out.set(text);
  auto const a = ask(out, "gzip");
  auto const b = ask(out, "br, gzip;q=0.5");
  EXPECT_EQ((*a)->headers.get("Content-Encoding"), "gzip");
  EXPECT_EQ((*a)->shared_body.get(), (*b)->shared_body.get());
  EXPECT_EQ(gzip::decompress(*(*a)->shared_body, text.size()).value(), text);
  EXPECT_TRUE((*ask(out, "br"))->headers.get("Content-Encoding").empty());
}

TEST_F(HandingOutTest, ReadsWhatIsAccepted) {
  for (auto const* const yes : {"gzip", " gzip ", "deflate,gzip", "gzip;q=1.0", "gzip; q=0.01", "*"}) {
    EXPECT_TRUE(handing_out::accepts_gzip(yes)) << yes;
  }
  for (auto const* const no : {"", "identity", "gzip;q=0", "gzip; q=0.000", "xgzip", ",", ";"}) {
    EXPECT_FALSE(handing_out::accepts_gzip(no)) << no;
  }
}

TEST_F(HandingOutTest, SoManyAtATimeAndTheOthersInTheirOrder) {
  HandingOut out(loop_.get_executor(), Limits{100, 2, 1h});
  out.set(std::string(100, 'x'));
  auto const a = ask(out);
  auto const b = ask(out);
  auto const c = ask(out);
  auto const d = ask(out);
  EXPECT_TRUE(*a && *b);
  EXPECT_FALSE(*c || *d);
  EXPECT_EQ(out.under_way(), 2U);
  EXPECT_EQ(out.waiting(), 2U);
  out.set("new");  // who waits gets what there is when the turn comes
  a->reset();
  settle();
  ASSERT_TRUE(*c);
  EXPECT_EQ(*(*c)->shared_body, "new");
  b->reset();
  settle();
  EXPECT_TRUE(*d);
  c->reset();
  d->reset();
  EXPECT_EQ(out.under_way(), 0U);
}

TEST_F(HandingOutTest, ASmallTextIsGivenToAllAtOnce) {
  HandingOut out(loop_.get_executor(), Limits{100, 2, 1h});
  out.set("ten octets");
  std::vector<Slot> all;
  for (int i = 0; i < 10; ++i) {
    all.push_back(ask(out));
    EXPECT_TRUE(*all.back());
  }
  EXPECT_FALSE(*ask(out));
}

TEST_F(HandingOutTest, WhoIsGoneGivesHisTurnToTheNext) {
  HandingOut out(loop_.get_executor(), Limits{1, 1, 1h});
  out.set("x");
  boost::asio::cancellation_signal gone;
  auto const a = ask(out);
  auto const b = ask(out, "", gone.slot());
  auto const c = ask(out);
  gone.emit(boost::asio::cancellation_type::terminal);
  settle();
  a->reset();
  settle();
  EXPECT_FALSE(*b);
  EXPECT_TRUE(*c);
}

TEST_F(HandingOutTest, AClientThatDoesNotReadKeepsNobodyWaitingForLongerThanATurn) {
  HandingOut out(loop_.get_executor(), Limits{1, 1, 50ms});
  out.set("x");
  auto const a = ask(out);
  auto const b = ask(out);
  EXPECT_FALSE(*b);
  auto const until = std::chrono::steady_clock::now() + 20s;
  while (!*b && std::chrono::steady_clock::now() < until) {
    loop_.restart();
    loop_.run_for(10ms);
  }
  EXPECT_TRUE(*b);
  a->reset();  // its turn was over already: it gives none away
  EXPECT_EQ(out.under_way(), 1U);
}

TEST_F(HandingOutTest, AnswersOutliveIt) {
  auto out = std::make_unique<HandingOut>(loop_.get_executor());
  out->set("text");
  auto const a = ask(*out);
  out.reset();
  EXPECT_EQ(*(*a)->shared_body, "text");
}

}  // namespace
