// CAs that limit, take their time, fall silent in the middle, or whose TLS certificate nobody here trusts.
#include "tests/acme/certificates_fixture.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <fstream>

namespace acme {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class AuthorityFaultsTest : public CertificatesFixture {
 protected:
  std::function<bool(std::string, std::string)> looks() {
    return [this](std::string const& name, std::string const& value) {
      auto const values = txt(name);
      return std::ranges::find(values, value) != values.end();
    };
  }
  // A further CA, asked after those that are there.
  std::unique_ptr<test::ScriptedAcme> another(test::ScriptedAcme::Place const& place = {}) {
    auto made = std::make_unique<test::ScriptedAcme>(loop.get_executor(), looks(), place);
    settings.authorities.emplace_back();
    settings.authorities.back().directory_url = made->directory_url();
    return made;
  }
  std::string write(std::string const& name, std::string const& text) {
    std::ofstream(folder.file(name)) << text;
    std::filesystem::permissions(folder.file(name),
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    return folder.file(name);
  }
  // Serves TLS as localhost, by a root of its own that is in the file NAME.root.
  test::ScriptedAcme::Place tls(std::string const& name) {
    test::TestCa const root(name);
    auto const key = test::make_key();
    test::ScriptedAcme::Place place;
    place.identity = net::Identity{write(name + ".pem", root.leaf(key.get(), {{"localhost"}})),
                                   write(name + ".key", test::key_pem(key.get()))};
    write(name + ".root", root.certificate());
    return place;
  }
  std::string issuer_of(std::string const& name) const { return status_of(name).authority; }
};

TEST_F(AuthorityFaultsTest, ALimitOfTheRegisteredDomainIsLearnedAndAnotherAuthorityAsked) {
  auto const second = another();
  ca->knobs.limits.domain = {1, std::chrono::hours(24 * 7)};
  add_tenant("one");
  start();
  ASSERT_TRUE(issued(1));
  for (int i = 2; i < 8; ++i) {
    add_tenant("t" + std::to_string(i));
    issuer->poke();
    ASSERT_TRUE(issued(static_cast<std::size_t>(i)));
  }
  EXPECT_EQ(ca->counters.orders, 1);
  EXPECT_EQ(second->counters.orders, 6);
  EXPECT_LE(ca->counters.limited, 3) << "names, their domain, the account: then it is not asked any more";
  // Whoever has a certificate of these names is not counted against the domain.
  issuer->order_now(*issuer->find("one"));
  ASSERT_TRUE(until([this] { return certificates().size() == 8; }));
  second->stop();
}

TEST_F(AuthorityFaultsTest, ACaThatSeesNoProofIsLeftForAnotherAfterThreeTriesAndComesFirstAgain) {
  auto const second = another();
  ca->knobs.deny = true;
  add_tenant("one");
  start();
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(ca->counters.orders, 3) << "the others are spared a proof that is not there, but not for ever";
  EXPECT_EQ(second->counters.orders, 1);
  EXPECT_EQ(issuer_of("one.stream.example"), second->directory_url());
  EXPECT_TRUE(run(vault.attempts())->empty());
  ca->knobs.deny = false;
  issuer->order_now(*issuer->find("one"));
  ASSERT_TRUE(until([&] { return issuer_of("one.stream.example") == ca->directory_url(); }));
  second->stop();
}

TEST_F(AuthorityFaultsTest, AnOrderThatAnotherAuthorityMadeNeedlessIsCleanedUpWhereItIsPending) {
  auto const second = another();
  ca->knobs.lose["authz"] = 1000;
  add_tenant("one");
  start();
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(issuer_of("one.stream.example"), second->directory_url());
  EXPECT_EQ(ca->counters.orders, 1);
  EXPECT_EQ(run(vault.dropped_orders())->size(), 1U) << "its CA does not answer";
  // Another process knows of it, too.
  retire();
  ca->knobs.lose.clear();
  int const before = ca->counters.deactivations;
  start();
  ASSERT_TRUE(until([this] { return run(vault.dropped_orders())->empty(); }));
  EXPECT_EQ(ca->counters.deactivations, before + 2) << "the name's and its wildcard's";
  EXPECT_EQ(ca->counters.orders, 1);
  EXPECT_EQ(second->counters.deactivations, 0);
  second->stop();
}

TEST_F(AuthorityFaultsTest, BelowAPublicSuffixEachNameIsADomainOfItsOwn) {
  ca->knobs.limits.domain = {1, std::chrono::hours(24 * 7)};
  ca->knobs.limits.suffixes = {"stream.example"};
  add_tenant("one");
  add_tenant("two");
  start();
  ASSERT_TRUE(issued(2));
  EXPECT_EQ(ca->counters.limited, 0);
}

TEST_F(AuthorityFaultsTest, FailedValidationsAreLimitedByName) {
  ca->knobs.limits.failures = {1, std::chrono::hours(1)};
  ca->knobs.deny = true;
  add_tenant("one");
  start();
  ASSERT_TRUE(until([this] { return ca->counters.limited == 1; })) << "of which the CA tells when to come again";
  ca->knobs.deny = false;
  add_tenant("two");
  issuer->poke();
  ASSERT_TRUE(issued(1));
  ASSERT_TRUE(
      until([this] { return status_of("one.stream.example").last_error.find("rateLimited") != std::string::npos; }));
  EXPECT_GT(status_of("one.stream.example").next_attempt_ms,
            crypto::to_ms(crypto::wall_now() + std::chrono::minutes(50)));
}

TEST_F(AuthorityFaultsTest, ACaThatSaysWhenToComeAgainIsNotAskedInBetween) {
  ca->knobs.processing_for = std::chrono::milliseconds(1500);
  ca->knobs.processing_retry_after = "1";
  settings.order.poll_limit = std::chrono::milliseconds(5);
  add_tenant("one");
  start();
  ASSERT_TRUE(issued(1));
  EXPECT_LE(ca->counters.polls, 6) << "every 5 ms it would have been 300 times";
}

TEST_F(AuthorityFaultsTest, ACaWhoseCertificateIsNotTrustedIsSaidToBeThatAndAnotherOneAsked) {
  auto const second = another(tls("second"));
  auto const third = another(tls("third"));
  settings.authorities.erase(settings.authorities.begin());
  settings.authorities[0].ca_bundle = folder.file("third.root");  // does not fit
  settings.authorities[1].ca_bundle = folder.file("third.root");
  add_tenant("one");
  start();
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(issuer_of("one.stream.example"), third->directory_url());
  EXPECT_EQ(second->counters.accounts, 0);
  EXPECT_THAT(issuer->authorities()[0].last_error, HasSubstr("certificate"));
  EXPECT_THAT(issuer->authorities()[0].last_error, HasSubstr("ca_bundle"));
  EXPECT_THAT(issuer->authorities()[1].last_error, IsEmpty());
  // Each has a bundle of its own.
  retire();
  settings.authorities[0].ca_bundle = folder.file("second.root");
  start();
  add_tenant("two");
  issuer->poke();
  ASSERT_TRUE(issued(2));
  EXPECT_EQ(issuer_of("two.stream.example"), second->directory_url());
  second->stop();
  third->stop();
}

// Takes a request, answers half of what it announced, and says nothing any more.
net::Task<void> answer_half(std::shared_ptr<net::asio::ip::tcp::acceptor> acceptor,
                            std::shared_ptr<std::vector<std::shared_ptr<net::asio::ip::tcp::socket>>> open) {
  constexpr auto quiet = net::asio::as_tuple(net::asio::use_awaitable);
  for (;;) {
    auto [error, socket] = co_await acceptor->async_accept(quiet);
    if (error) {
      co_return;
    }
    open->push_back(std::make_shared<net::asio::ip::tcp::socket>(std::move(socket)));
    std::array<char, 4096> request{};
    co_await open->back()->async_read_some(net::asio::buffer(request), quiet);
    std::string const half =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"newNonce\":";
    co_await net::asio::async_write(*open->back(), net::asio::buffer(half), quiet);
  }
}

TEST_F(AuthorityFaultsTest, ACaThatHangsInTheMiddleOfAnAnswerIsLeftForAnother) {
  using net::asio::ip::tcp;
  auto const acceptor =
      std::make_shared<tcp::acceptor>(loop, tcp::endpoint(net::asio::ip::make_address("127.0.0.1"), 0));
  auto const open = std::make_shared<std::vector<std::shared_ptr<tcp::socket>>>();
  net::spawn(loop.get_executor(), "half a CA", answer_half(acceptor, open));
  auto const second = another();
  settings.authorities[0].directory_url =
      "http://127.0.0.1:" + std::to_string(acceptor->local_endpoint().port()) + "/dir";
  settings.authorities[0].call_deadline = std::chrono::milliseconds(100);
  add_tenant("one");
  start();
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(issuer_of("one.stream.example"), second->directory_url());
  EXPECT_GE(open->size(), 1U);
  EXPECT_THAT(issuer->authorities()[0].last_error, HasSubstr("timed out"));
  acceptor->close();
  for (auto const& socket : *open) {
    socket->close();
  }
  second->stop();
}

// It acted and fell silent: what it did is found again, nothing is done twice.
TEST_F(AuthorityFaultsTest, ACaThatFallsSilentAfterItActedIsAskedWhatItDid) {
  settings.authorities[0].call_deadline = std::chrono::milliseconds(200);
  settings.order.lost_max = 5;
  ca->knobs.silent = {"new-order", "challenge", "finalize"};
  add_tenant("one");
  start();
  ASSERT_TRUE(until([this] { return ca->counters.finalizes == 1; }));
  ca->knobs.silent.clear();
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(ca->counters.orders, 1);
  EXPECT_EQ(ca->counters.challenges, 2);
  EXPECT_EQ(ca->counters.finalizes, 1);
}

}  // namespace
}  // namespace acme
