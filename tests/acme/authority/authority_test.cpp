#include "acme/authority/authority.hpp"

#include "acme/schema/schema.hpp"
#include "tests/support/cutting_proxy.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/scripted_acme.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>

namespace acme {
namespace {

using testing::HasSubstr;

class AuthorityTest : public testing::Test {
 protected:
  AuthorityTest() { EXPECT_TRUE(run(vault.open({folder.file("master.key")}))); }
  ~AuthorityTest() override {
    ca.stop();
    thread.reset();
  }

  template <class T>
  T run(net::Task<T> task) {
    return test::run_task(loop, std::move(task));
  }
  // What each of several callers at the same time is told; empty: ready.
  net::Task<std::vector<std::string>> all_ready(Authority& authority, std::size_t count) {
    std::vector<std::string> results;
    net::Signal ended(loop.get_executor());
    for (std::size_t i = 0; i < count; ++i) {
      net::spawn(loop.get_executor(), "caller", one_ready(authority, results, ended));
    }
    while (results.size() < count) {
      EXPECT_TRUE(co_await ended.wait(std::chrono::seconds(10)));
    }
    co_return results;
  }
  static net::Task<void> one_ready(Authority& authority, std::vector<std::string>& results, net::Signal& ended) {
    auto const ready = co_await authority.ready();
    results.push_back(ready ? std::string() : ready.error().what());
    ended.notify();
  }
  // Another process: all it knows is in the store.
  std::unique_ptr<Authority> fresh() { return fresh(ca.directory_url()); }
  std::unique_ptr<Authority> fresh(std::string const& directory_url) {
    AuthoritySettings settings;
    settings.directory_url = directory_url;
    return std::make_unique<Authority>(loop.get_executor(), vault, settings);
  }
  std::string stored_thumbprint() { return stored_thumbprint(ca.directory_url()); }
  std::string stored_thumbprint(std::string const& directory_url) {
    return crypto::Key::from_pem(run(vault.account(directory_url))->key_pem)->thumbprint();
  }

  test::TemporaryFolder folder;
  boost::asio::io_context loop{1};
  test::ScriptedAcme ca{loop.get_executor(), [](std::string const&, std::string const&) { return true; }};
  std::unique_ptr<database::StoreThread> thread = std::make_unique<database::StoreThread>(
      database::Database::open("sqlite://" + folder.file("acme.db"), {vault::schema(), keyring::schema()}).value());
  vault::Vault vault{*thread};
};

TEST_F(AuthorityTest, TheAccountIsRegisteredOnceAndFoundAgain) {
  auto first = fresh();
  ASSERT_TRUE(run(first->ready()));
  ASSERT_TRUE(run(first->save_account()));
  auto second = fresh();
  ASSERT_TRUE(run(second->ready()));
  EXPECT_EQ(second->client()->account_url(), first->client()->account_url());
  EXPECT_EQ(ca.counters.accounts, 1);
}

TEST_F(AuthorityTest, AChangedKeyIsTheAccountsAndStored) {
  auto authority = fresh();
  ASSERT_TRUE(run(authority->ready()));
  auto const url = authority->client()->account_url();
  auto const before = stored_thumbprint();
  auto const changed = run(authority->change_key());
  ASSERT_TRUE(changed) << changed.error().what();
  EXPECT_EQ(ca.counters.key_changes, 1);
  EXPECT_NE(stored_thumbprint(), before);
  EXPECT_EQ(authority->client()->account_url(), url);
  auto again = fresh();
  ASSERT_TRUE(run(again->ready()));
  EXPECT_EQ(again->client()->account_url(), url);
  EXPECT_EQ(ca.counters.accounts, 1) << "the account is found by its new key";
}

TEST_F(AuthorityTest, AChangeWhoseAnswerWasLostIsSettledByAskingTheAuthority) {
  auto authority = fresh();
  ASSERT_TRUE(run(authority->ready()));
  ASSERT_TRUE(run(authority->save_account()));
  auto const before = stored_thumbprint();
  ca.knobs.lose["key-change"] = 1;
  EXPECT_FALSE(run(authority->change_key()));
  EXPECT_EQ(ca.counters.key_changes, 1) << "the CA did it";
  EXPECT_EQ(stored_thumbprint(), before) << "and nobody here knows yet";
  auto again = fresh();
  ASSERT_TRUE(run(again->ready()));
  EXPECT_NE(stored_thumbprint(), before);
  EXPECT_EQ(ca.counters.accounts, 1);
  EXPECT_TRUE(run(vault.account(ca.directory_url()))->pending_key_pem.empty());
}

// The CA's frontend dies behind the change, on a connection that was used before. Were it asked again, by the old key,
// its refusal would be taken for a word on the change, and the account's only key would be thrown away.
TEST_F(AuthorityTest, AChangeWhoseConnectionEndedBehindItKeepsTheKeyThatTheAuthorityKnows) {
  test::CuttingProxy proxy(loop.get_executor());
  test::ScriptedAcme::Place place;
  place.base = proxy.base();
  test::ScriptedAcme behind(
      loop.get_executor(), [](std::string const&, std::string const&) { return true; }, place);
  proxy.forward_to(behind.port());
  auto authority = fresh(behind.directory_url());
  ASSERT_TRUE(run(authority->ready()));
  ASSERT_TRUE(run(authority->save_account()));
  auto const url = authority->client()->account_url();
  auto const before = stored_thumbprint(behind.directory_url());
  proxy.cut("POST /key-change");
  EXPECT_FALSE(run(authority->change_key()));
  EXPECT_EQ(proxy.cuts(), 1);
  EXPECT_EQ(behind.counters.key_changes, 1);
  ASSERT_TRUE(run(authority->ready())) << "it asks which key the CA knows";
  EXPECT_NE(stored_thumbprint(behind.directory_url()), before);
  EXPECT_EQ(authority->client()->account_url(), url);
  EXPECT_EQ(behind.counters.accounts, 1);
  ASSERT_TRUE(run(authority->change_key())) << "and goes on with it";
  behind.stop();
}

// Something between us and the CA sends it twice, and gives us the refusal of the second.
TEST_F(AuthorityTest, ARefusalIsBelievedWhenTheAuthorityDoesNotKnowTheNewKey) {
  auto authority = fresh();
  ASSERT_TRUE(run(authority->ready()));
  ASSERT_TRUE(run(authority->save_account()));
  auto const before = stored_thumbprint();
  ca.knobs.refuse_after["key-change"] = 1;
  auto const changed = run(authority->change_key());
  EXPECT_TRUE(changed) << changed.error().what();
  auto const after = stored_thumbprint();
  EXPECT_NE(after, before);
  EXPECT_EQ(authority->client()->thumbprint(), after);
  ca.knobs.refuse["key-change"] = 1;
  EXPECT_EQ(run(authority->change_key()).error().code, protocol::errc::refused);
  EXPECT_EQ(stored_thumbprint(), after);
  EXPECT_TRUE(run(vault.account(ca.directory_url()))->pending_key_pem.empty());
  EXPECT_TRUE(run(authority->change_key()));
  EXPECT_EQ(ca.counters.accounts, 1);
}

TEST_F(AuthorityTest, AChangeThatNeverReachedTheAuthorityIsDropped) {
  auto authority = fresh();
  ASSERT_TRUE(run(authority->ready()));
  auto const before = stored_thumbprint();
  ASSERT_TRUE(run(vault.begin_key_change(ca.directory_url(), crypto::Key::generate()->pem())));
  auto again = fresh();
  ASSERT_TRUE(run(again->ready()));
  EXPECT_EQ(stored_thumbprint(), before);
  EXPECT_TRUE(run(vault.account(ca.directory_url()))->pending_key_pem.empty());
  EXPECT_EQ(ca.counters.accounts, 1);
}

// Both find the pending key; the second one must not take the client from under the first.
TEST_F(AuthorityTest, SeveralCallersAtTheStartSettleAnInterruptedChangeOnce) {
  auto authority = fresh();
  ASSERT_TRUE(run(authority->ready()));
  ASSERT_TRUE(run(authority->save_account()));
  auto const url = authority->client()->account_url();
  ca.knobs.lose["key-change"] = 1;
  EXPECT_FALSE(run(authority->change_key()));
  auto again = fresh();
  ca.knobs.bad_nonces = 1;  // one asks twice, and is at it when the others would be done
  auto const results = run(all_ready(*again, 3));
  EXPECT_EQ(results.size(), 3);
  for (std::string const& result : results) {
    EXPECT_EQ(result, "");
  }
  EXPECT_EQ(again->client()->account_url(), url);
  EXPECT_TRUE(run(vault.account(ca.directory_url()))->pending_key_pem.empty());
  EXPECT_EQ(ca.counters.accounts, 1);
}

// A question that is on its way (a revocation) outlives the client that asks it.
TEST_F(AuthorityTest, AQuestionUnderWaySurvivesAChangeOfKeyWhoseAnswerWasLost) {
  auto authority = fresh();
  ASSERT_TRUE(run(authority->ready()));
  ASSERT_TRUE(run(authority->save_account()));
  auto const asked = authority->client();
  ca.knobs.lose["key-change"] = 1;
  EXPECT_FALSE(run(authority->change_key()));
  EXPECT_NE(authority->client(), nullptr) << "who was ready before may still ask";
  EXPECT_TRUE(run(authority->ready()));
  EXPECT_NE(authority->client(), asked) << "the account has another key now";
  EXPECT_TRUE(run(asked->directory()));
}

// Whoever waits for a caller that failed fails with it, instead of waiting for the CA's deadline once more each.
TEST_F(AuthorityTest, ACallerThatWaitedForAFailureFailsWithIt) {
  ca.stop();
  ASSERT_TRUE(run(vault.begin_key_change(ca.directory_url(), crypto::Key::generate()->pem())));
  auto authority = fresh();
  auto const results = run(all_ready(*authority, 2));
  ASSERT_EQ(results.size(), 2);
  EXPECT_NE(results[0], "");
  EXPECT_EQ(results[0], results[1]);
}

}  // namespace
}  // namespace acme
