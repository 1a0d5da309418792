#include "acme/vault/vault.hpp"

#include "acme/schema/schema.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace vault {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::IsEmpty;

class VaultTest : public testing::Test {
 protected:
  VaultTest() {
    open();
    auto const made =
        run(vault->ensure_subjects({{0, 7, "seven.example"}, {0, 8, "eight.example"}, {0, 9, "nine.example"}},
                                   {true, true, true}))
            .value();
    seven = made[0].id;
    eight = made[1].id;
    nine = made[2].id;
  }

  void open() {
    thread.reset();
    thread = std::make_unique<database::StoreThread>(
        database::Database::open("sqlite://" + file, {schema(), keyring::schema()}).value());
    vault = std::make_unique<Vault>(*thread);
    opened = run(vault->open({key_file}));
  }
  template <class T>
  T run(net::Task<T> task) {
    return test::run_task(loop, std::move(task));
  }
  std::int64_t add(std::int64_t subject, char digest, Time not_after, bool uploaded = false) {
    crypto::Certificate const certificate{std::string(64, digest), {"*.a.example", "a.example"}, now, not_after, 2};
    CertificateRow row;
    row.subject_id = subject;
    row.directory_url = "https://ca/dir";
    row.uploaded = uploaded;
    return run(vault->add_certificate(row, certificate, std::string("chain ") + digest, std::string("key ") + digest,
                                      now))
        .value();
  }
  base::Result<void> acknowledge(std::string edge, std::int64_t sequence, char digest, std::int64_t subject = 0) {
    return run(
        vault->acknowledge({subject == 0 ? seven : subject, std::move(edge), sequence, std::string(64, digest)}, now));
  }

  test::TemporaryFolder folder;
  std::string const file = folder.file("navigator.db");
  std::string const key_file = folder.file("master.key");
  boost::asio::io_context loop;
  std::unique_ptr<database::StoreThread> thread;
  std::unique_ptr<Vault> vault;
  base::Result<void> opened;
  Time const now = crypto::wall_now();
  std::int64_t seven = 0, eight = 0, nine = 0;  // subjects of the tenants 7, 8, 9
};

TEST_F(VaultTest, TheAccountKeyIsMadeOnceAndSurvives) {
  std::string const pem = run(vault->account("https://ca/dir"))->key_pem;
  ASSERT_TRUE(run(vault->set_account_url("https://ca/dir", "https://ca/acct/1")));
  open();
  auto const again = run(vault->account("https://ca/dir"));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->key_pem, pem);
  EXPECT_EQ(again->url, "https://ca/acct/1");
  EXPECT_NE(run(vault->account("https://other/dir"))->key_pem, pem);
}

TEST_F(VaultTest, ALostMasterKeyIsNotReplacedWhenSealedRowsExist) {
  ASSERT_TRUE(run(vault->account("https://ca/dir")));
  std::filesystem::remove(key_file);
  open();
  EXPECT_EQ(opened.error().code, keyring::errc::key_file);
  EXPECT_FALSE(std::filesystem::exists(key_file));
}

TEST_F(VaultTest, AnOrderComesBackWithItsKeyAndCsr) {
  EXPECT_FALSE(run(vault->find_order(seven, "https://ca/dir"))->has_value());
  ASSERT_TRUE(run(
      vault->save_order({seven, {"*.a.example", "a.example"}, "https://ca/dir", "", std::string("\0csr", 4), "key"})));
  ASSERT_TRUE(run(vault->set_order_url(seven, "https://ca/dir", "https://ca/order/1")));
  open();
  auto const order = run(vault->find_order(seven, "https://ca/dir"));
  ASSERT_TRUE(order && order->has_value());
  EXPECT_EQ((*order)->order_url, "https://ca/order/1");
  EXPECT_EQ((*order)->csr, std::string("\0csr", 4));
  EXPECT_EQ((*order)->key_pem, "key");
  EXPECT_THAT((*order)->names, ElementsAre("*.a.example", "a.example"));
  ASSERT_TRUE(run(vault->delete_order(seven, "https://ca/dir")));
  EXPECT_FALSE(run(vault->find_order(seven, "https://ca/dir"))->has_value());
}

TEST_F(VaultTest, OrdersAtSeveralAuthoritiesAreInNobodysWayAndGoWithTheCertificate) {
  ASSERT_TRUE(run(vault->save_order({seven, {"a.example"}, "one", "", "csr 1", "key 1"})));
  ASSERT_TRUE(run(vault->save_order({seven, {"a.example"}, "two", "", "csr 2", "key 2"})));
  ASSERT_TRUE(run(vault->save_order({eight, {"b.example"}, "one", "", "csr 3", "key 3"})));
  ASSERT_TRUE(run(vault->set_order_url(seven, "one", "https://one/order/1")));
  auto const first = run(vault->find_order(seven, "one")).value();
  auto const second = run(vault->find_order(seven, "two")).value();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->order_url, "https://one/order/1");
  EXPECT_EQ(first->key_pem, "key 1");
  EXPECT_TRUE(first->begun);
  EXPECT_EQ(second->order_url, "");
  EXPECT_EQ(second->csr, "csr 2");
  EXPECT_THAT(run(vault->ordering()).value(),
              ElementsAre(testing::Pair(seven, "one"), testing::Pair(seven, "two"), testing::Pair(eight, "one")));
  ASSERT_TRUE(run(vault->delete_order(seven, "two")));
  EXPECT_TRUE(run(vault->find_order(seven, "one"))->has_value());
  add(seven, 'a', now + hours(1));
  EXPECT_FALSE(run(vault->find_order(seven, "one"))->has_value()) << "what it was ordered for is there";
  EXPECT_THAT(run(vault->ordering()).value(), ElementsAre(testing::Pair(eight, "one")));
}

TEST_F(VaultTest, ADroppedOrderThatItsCaGivesAgainIsGoneOnWith) {
  ASSERT_TRUE(run(vault->save_order({seven, {"a.example"}, "one", "", "csr 1", "key 1"})));
  ASSERT_TRUE(run(vault->set_order_url(seven, "one", "https://one/order/1")));
  ASSERT_TRUE(run(vault->save_order({seven, {"b.example"}, "one", "", "csr 2", "key 2"})));
  auto const dropped = run(vault->dropped_orders()).value();
  ASSERT_EQ(dropped.size(), 1U);
  EXPECT_EQ(dropped[0].order_url, "https://one/order/1");
  EXPECT_TRUE(run(vault->is_dropped(dropped[0])).value());
  ASSERT_TRUE(run(vault->set_order_url(seven, "one", "https://one/order/1")));
  EXPECT_FALSE(run(vault->is_dropped(dropped[0])).value());
  EXPECT_TRUE(run(vault->dropped_orders()).value().empty());
}

// A row that was moved to another authority does not open there.
TEST_F(VaultTest, AnOrdersKeyOpensAtItsOwnAuthorityAlone) {
  ASSERT_TRUE(run(vault->save_order({seven, {"a.example"}, "one", "", "csr", "key"})));
  std::function<base::Result<std::int64_t>(database::Database&)> const move = [](database::Database& database) {
    return database.write([](database::Transaction& transaction) -> base::Result<void> {
      auto const moved = transaction.execute("UPDATE acme_order SET directory_url = 'two'", {});
      return moved ? base::Result<void>() : moved.error();
    });
  };
  ASSERT_TRUE(run(thread->run<std::int64_t>(move)));
  EXPECT_EQ(run(vault->find_order(seven, "two")).error().code, keyring::errc::sealed);
}

TEST_F(VaultTest, KeysAreNotInTheFileInTheClear) {
  ASSERT_TRUE(run(vault->save_order({seven, {"a.example"}, "https://ca/dir", "", "csr", "VERY-SECRET-ORDER-KEY"})));
  crypto::Certificate const certificate{std::string(64, 'a'), {"a.example"}, now, now + hours(1), 1};
  CertificateRow row;
  row.subject_id = seven;
  ASSERT_TRUE(run(vault->add_certificate(row, certificate, "chain", "VERY-SECRET-CERTIFICATE-KEY", now)));
  vault.reset();
  thread.reset();
  for (auto const& entry : std::filesystem::directory_iterator(folder.path())) {
    std::ifstream stream(entry.path(), std::ios::binary);
    std::string const content{std::istreambuf_iterator<char>(stream), {}};
    EXPECT_EQ(content.find("VERY-SECRET"), std::string::npos) << entry.path();
  }
}

TEST_F(VaultTest, TheSameCertificateStoredTwiceIsOne) {
  std::int64_t const first = add(seven, 'a', now + hours(1));
  EXPECT_EQ(add(seven, 'a', now + hours(1)), first);
  EXPECT_EQ(run(vault->certificates())->size(), 1U);
}

TEST_F(VaultTest, FormerCertificatesStayWhileTheyAreValid) {
  add(seven, 'a', now - hours(1));
  add(seven, 'b', now + hours(1));
  std::int64_t const last = add(seven, 'c', now + hours(2));
  auto const rows = run(vault->certificates()).value();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows.back().sequence, last);
  auto const bundle = run(vault->unsealed_bundle(seven));
  ASSERT_TRUE(bundle);
  EXPECT_EQ(bundle->key_pem, "key c");
  EXPECT_EQ(bundle->chain_pem, "chain c");
  EXPECT_EQ(run(vault->unsealed_bundle(eight)).error().code, errc::not_found);
}

TEST_F(VaultTest, ACertificateWhoseRowWasGivenToAnotherTenantDoesNotOpen) {
  add(seven, 'a', now + hours(1));
  std::function<base::Result<std::int64_t>(database::Database&)> const move = [](database::Database& database) {
    return database.write([](database::Transaction& transaction) -> base::Result<void> {
      (void)transaction.execute(
          "UPDATE certificate SET subject_id = (SELECT id FROM acme_subject WHERE tenant_id = 8)");
      return {};
    });
  };
  ASSERT_TRUE(run(thread->run<std::int64_t>(move)));
  EXPECT_EQ(run(vault->unsealed_bundle(eight)).error().code, keyring::errc::sealed);
}

TEST_F(VaultTest, AttemptsSurviveAndEndWithACertificate) {
  ASSERT_TRUE(run(vault->save_attempt({seven, "https://ca/dir", 3, now + hours(1), "dns: NXDOMAIN"})));
  open();
  auto const attempts = run(vault->attempts()).value();
  ASSERT_EQ(attempts.size(), 1U);
  EXPECT_EQ(attempts.front().failures, 3U);
  EXPECT_EQ(attempts.front().not_before, now + hours(1));
  add(seven, 'a', now + hours(1));
  EXPECT_THAT(run(vault->attempts()).value(), IsEmpty());
}

TEST_F(VaultTest, AnAcknowledgmentMustNameAValidCertificateOfThatTenant) {
  std::int64_t const old = add(seven, 'a', now + hours(1));
  std::int64_t const present = add(seven, 'b', now + hours(2));
  EXPECT_TRUE(acknowledge("edge-1", old, 'a'));  // the former one is still valid
  EXPECT_TRUE(acknowledge("edge-1", present, 'b'));
  EXPECT_EQ(acknowledge("edge-1", present, 'c').error().code, errc::stale);
  EXPECT_EQ(acknowledge("edge-1", old, 'b').error().code, errc::stale);
  EXPECT_EQ(acknowledge("edge-1", present, 'b', eight).error().code, errc::stale);
}

TEST_F(VaultTest, AnOlderAcknowledgmentNeverReplacesANewerOne) {
  std::int64_t const old = add(seven, 'a', now + hours(1));
  std::int64_t const present = add(seven, 'b', now + hours(2));
  ASSERT_TRUE(acknowledge("edge-1", present, 'b'));
  ASSERT_TRUE(acknowledge("edge-1", old, 'a'));  // a delayed message
  auto const rows = run(vault->acknowledgments()).value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows.front().sequence, present);
  EXPECT_EQ(rows.front().fingerprint, std::string(64, 'b'));
}

// Edges go back to the former one when its successor was revoked, and say so.
TEST_F(VaultTest, AnOlderAcknowledgmentReplacesThatOfARevokedCertificate) {
  std::int64_t const old = add(seven, 'a', now + hours(1));
  std::int64_t const present = add(seven, 'b', now + hours(2));
  ASSERT_TRUE(acknowledge("edge-1", present, 'b'));
  ASSERT_TRUE(run(vault->mark_revoked(present, 1, std::nullopt)));
  ASSERT_TRUE(acknowledge("edge-1", old, 'a'));
  EXPECT_EQ(run(vault->acknowledgments()).value().at(0).sequence, old);
  ASSERT_TRUE(acknowledge("edge-1", present, 'b'));
  EXPECT_EQ(run(vault->acknowledgments()).value().at(0).sequence, present);
}

TEST_F(VaultTest, AForgottenSubjectLeavesNothingAndOthersOfTheTenantStay) {
  SubjectRow const domain =
      run(vault->ensure_subjects({{0, 7, "www.customer.example"}, {0, 7, "seven.example"}}, {false, true})).value()[0];
  std::int64_t const sequence = add(seven, 'a', now + hours(1));
  std::int64_t const its = add(domain.id, 'a', now + hours(1));
  EXPECT_NE(sequence, its) << "one certificate may be for several subjects";
  ASSERT_TRUE(acknowledge("edge-1", sequence, 'a'));
  ASSERT_TRUE(acknowledge("edge-1", its, 'a', domain.id));
  ASSERT_TRUE(run(vault->save_order({seven, {"a.example"}, "d", "", "csr", "key"})));
  ASSERT_TRUE(run(vault->save_attempt({seven, "", 1, now, "x"})));
  ASSERT_TRUE(run(vault->add_event({seven, now, "d", "validation", "x"})));
  EXPECT_EQ(run(vault->subjects())->size(), 4U);
  ASSERT_TRUE(run(vault->forget_subject(seven)));
  EXPECT_EQ(run(vault->subjects())->size(), 3U);
  EXPECT_THAT(run(vault->attempts()).value(), IsEmpty());
  EXPECT_THAT(run(vault->events(seven)).value(), IsEmpty());
  EXPECT_FALSE(run(vault->find_order(seven, "d"))->has_value());
  ASSERT_EQ(run(vault->certificates())->size(), 1U);
  EXPECT_EQ(run(vault->certificates())->front().subject, "www.customer.example");
  EXPECT_EQ(run(vault->acknowledgments())->size(), 1U);
  EXPECT_GT(run(vault->ensure_subjects({{0, 7, "seven.example"}}, {true})).value()[0].id, domain.id)
      << "an id is never given out twice";
}

TEST_F(VaultTest, UploadsGoWithoutWhatTheAuthorityIssued) {
  add(seven, 'a', now + hours(1));
  add(seven, 'b', now + hours(2), true);
  EXPECT_TRUE(run(vault->certificates(seven))->back().uploaded);
  EXPECT_EQ(run(vault->remove_uploads(seven)).value(), 1);
  EXPECT_EQ(run(vault->certificates(seven))->back().fingerprint, std::string(64, 'a'));
  EXPECT_EQ(run(vault->remove_uploads(seven)).value(), 0);
}

TEST_F(VaultTest, OneHolderHasTheLeaseAndAFormerOnesWritesAreRefused) {
  using std::chrono::seconds;
  Vault other(*thread);
  ASSERT_TRUE(run(other.open({key_file})));
  auto const mine = run(vault->hold_lease("ams", seconds(15), now)).value();
  EXPECT_TRUE(mine.mine);
  auto const theirs = run(other.hold_lease("fra", seconds(15), now + seconds(14))).value();
  EXPECT_FALSE(theirs.mine);
  EXPECT_EQ(theirs.holder, "ams");
  EXPECT_EQ(run(vault->hold_lease("ams", seconds(15), now + seconds(14)))->fence, mine.fence) << "kept, not taken anew";
  // It was stopped for a while, and does not know.
  auto const taken = run(other.hold_lease("fra", seconds(15), now + seconds(29))).value();
  EXPECT_TRUE(taken.mine);
  EXPECT_GT(taken.fence, mine.fence);
  auto const late = run(vault->save_attempt({seven, "", 1, now, "late"}));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, errc::fenced);
  EXPECT_EQ(run(vault->account("https://ca/dir")).error().code, errc::fenced);
  EXPECT_EQ(run(vault->forget_subject(seven)).error().code, errc::fenced);
  EXPECT_FALSE(run(vault->hold_lease("ams", seconds(15), now + seconds(30)))->mine);
  EXPECT_TRUE(run(other.save_attempt({seven, "", 1, now, "in time"})));
  ASSERT_TRUE(run(other.release_lease()));
  EXPECT_TRUE(run(vault->hold_lease("ams", seconds(15), now + seconds(31)))->mine);
}

TEST_F(VaultTest, TheSameHolderAfterARestartNeedNotWaitAndShutsItsFormerSelfOut) {
  using std::chrono::seconds;
  ASSERT_TRUE(run(vault->hold_lease("ams", seconds(15), now))->mine);
  Vault restarted(*thread);
  ASSERT_TRUE(run(restarted.open({key_file})));
  EXPECT_TRUE(run(restarted.hold_lease("ams", seconds(15), now + seconds(1)))->mine);
  EXPECT_FALSE(run(vault->hold_lease("ams", seconds(15), now + seconds(2)))->mine);
  EXPECT_EQ(run(vault->delete_order(seven, "https://ca/dir")).error().code, errc::fenced);
}

TEST_F(VaultTest, EventsBucketsAndRevocationsAreKept) {
  for (int i = 0; i < 25; ++i) {
    ASSERT_TRUE(run(vault->add_event({seven, now + std::chrono::seconds(i), "https://ca/dir", "validation", "why"})));
  }
  auto const events = run(vault->events(seven)).value();
  ASSERT_EQ(events.size(), 20U);
  EXPECT_EQ(events.front().at, now + std::chrono::seconds(24));
  ASSERT_TRUE(run(vault->save_buckets({{"https://ca/dir", "orders", "", now}, {"https://ca/dir", "set", "a b", now}},
                                      now - hours(1))));
  ASSERT_TRUE(run(vault->save_buckets({{"https://ca/dir", "orders", "", now + hours(1)}}, now - hours(1))));
  auto const buckets = run(vault->buckets()).value();
  ASSERT_EQ(buckets.size(), 2U);
  EXPECT_EQ(buckets[0].full_at, now + hours(1));
  ASSERT_TRUE(run(vault->save_buckets({{"https://ca/dir", "set", "c d", now + hours(2)}}, now + hours(1))));
  auto const left = run(vault->buckets()).value();
  ASSERT_EQ(left.size(), 1U) << "what is full again is nobody's limit";
  EXPECT_EQ(left[0].key, "c d");
  std::int64_t const sequence = add(seven, 'a', now + hours(9));
  ASSERT_TRUE(run(vault->mark_revoked(sequence, 1, std::nullopt)));
  EXPECT_EQ(run(vault->certificates(seven))->front().revoked_reason, 1);
  EXPECT_EQ(run(vault->certificates(seven))->front().revoked_at, Time{});
  ASSERT_TRUE(run(vault->mark_revoked(sequence, 1, now)));
  EXPECT_EQ(run(vault->certificates())->front().revoked_at, now);
  EXPECT_EQ(run(vault->mark_revoked(sequence + 1, 1, now)).error().code, errc::not_found);
  EXPECT_EQ(run(vault->chain(sequence)).value(), "chain a");
}

TEST_F(VaultTest, FreshKeysOpenWhatTheFormerOnesSealed) {
  auto const account = run(vault->account("https://ca/dir")).value();
  add(seven, 'a', now + hours(1));
  add(eight, 'b', now + hours(1));
  ASSERT_TRUE(run(vault->save_order({seven, {"a.example"}, "https://ca/dir", "", "csr", "order key"})));
  EXPECT_EQ(run(vault->key_state())->data_keys, 3);
  EXPECT_EQ(run(vault->renew_data_key(7)).value(), 2);
  EXPECT_EQ(run(vault->renew_data_key(0)).value(), 1);
  ASSERT_TRUE(run(vault->rotate_master_key()));
  for (int opens = 0; opens < 2; ++opens) {
    EXPECT_EQ(run(vault->account("https://ca/dir"))->key_pem, account.key_pem);
    EXPECT_EQ(run(vault->unsealed_bundle(seven))->key_pem, "key a");
    EXPECT_EQ(run(vault->unsealed_bundle(eight))->key_pem, "key b");
    EXPECT_EQ(run(vault->find_order(seven, "https://ca/dir")).value()->key_pem, "order key");
    EXPECT_EQ(run(vault->key_state())->data_keys, 3);
    open();
    ASSERT_TRUE(opened);
  }
}

TEST_F(VaultTest, ATenantsDataKeyGoesWithItsLastSubject) {
  add(seven, 'a', now + hours(1));
  add(eight, 'b', now + hours(1));
  EXPECT_EQ(run(vault->key_state())->data_keys, 2);
  ASSERT_TRUE(run(vault->forget_subject(seven)));
  EXPECT_EQ(run(vault->key_state())->data_keys, 1);
  EXPECT_EQ(run(vault->unsealed_bundle(eight))->key_pem, "key b");
  EXPECT_EQ(run(vault->key_state())->damaged, 0);
}

TEST_F(VaultTest, ADamagedKeyKeepsTheMasterKeyFromBeingChangedAndNobodyElseFromBeingServed) {
  add(seven, 'a', now + hours(1));
  add(eight, 'b', now + hours(1));
  std::function<base::Result<std::int64_t>(database::Database&)> const damage = [this](database::Database& database) {
    return database.write([this](database::Transaction& transaction) -> base::Result<void> {
      (void)transaction.execute("UPDATE certificate SET sealed_key = ? WHERE subject_id = ?",
                                {database::Blob(60, 1), seven});
      return {};
    });
  };
  ASSERT_TRUE(run(thread->run<std::int64_t>(damage)));
  open();
  ASSERT_TRUE(opened);
  EXPECT_EQ(run(vault->unsealed_bundle(seven)).error().code, keyring::errc::sealed);
  EXPECT_EQ(run(vault->unsealed_bundle(eight))->key_pem, "key b");
  auto const rotated = run(vault->rotate_master_key());
  ASSERT_FALSE(rotated);
  EXPECT_THAT(rotated.error().what(), testing::HasSubstr("1 damaged"));
}

// Somebody edited the file: SQLite takes a text into any column.
TEST_F(VaultTest, ATextInASealedColumnIsAnErrorOfItsRowAlone) {
  add(seven, 'a', now + hours(1));
  add(eight, 'b', now + hours(1));
  ASSERT_TRUE(run(vault->account("https://ca.example/dir")));
  auto const edit = [this](std::string const& sql) {
    std::function<base::Result<std::int64_t>(database::Database&)> const work = [sql](database::Database& database) {
      return database.write([&sql](database::Transaction& transaction) -> base::Result<void> {
        auto const done = transaction.execute(sql);
        return done ? base::Result<void>() : done.error();
      });
    };
    ASSERT_TRUE(run(thread->run<std::int64_t>(work)));
  };
  edit("UPDATE certificate SET sealed_key = 'by hand' WHERE subject_id = " + std::to_string(seven));
  edit("UPDATE acme_account SET sealed_key = 'by hand', sealed_pending_key = 'by hand'");
  open();
  ASSERT_TRUE(opened) << "everybody else is served";
  EXPECT_EQ(run(vault->unsealed_bundle(seven)).error().code, keyring::errc::sealed);
  EXPECT_EQ(run(vault->unsealed_bundle(eight))->key_pem, "key b");
  EXPECT_EQ(run(vault->account("https://ca.example/dir")).error().code, keyring::errc::sealed);
  EXPECT_EQ(run(vault->renew_data_key(7)).error().code, keyring::errc::sealed);
  EXPECT_TRUE(run(vault->renew_data_key(8)));
  EXPECT_EQ(run(vault->unsealed_bundle(eight))->key_pem, "key b");
  edit("UPDATE acme_data_key SET sealed = 'by hand' WHERE owner = 7");
  open();
  ASSERT_TRUE(opened);
  EXPECT_EQ(run(vault->unsealed_bundle(seven)).error().code, keyring::errc::sealed);
  EXPECT_EQ(run(vault->unsealed_bundle(eight))->key_pem, "key b");
}

TEST_F(VaultTest, WhatStandsOfSomeTenantsIsReadTogether) {
  auto const first = add(seven, 'a', now + hours(1));
  add(seven, 'b', now + hours(2));
  add(nine, 'c', now + hours(1));
  ASSERT_TRUE(acknowledge("edge-1", first, 'a'));
  auto const standing = run(vault->standing({7, 8})).value();
  ASSERT_EQ(standing.size(), 1U);
  EXPECT_EQ(standing.at(7).certificates.back().fingerprint, std::string(64, 'b'));
  EXPECT_EQ(standing.at(7).certificates.size(), 2U);
  ASSERT_EQ(standing.at(7).acknowledgments.size(), 1U);
  EXPECT_EQ(standing.at(7).acknowledgments[0].subject_id, seven);
  EXPECT_EQ(run(vault->standing({7, 9, 5000}))->size(), 2U);
  EXPECT_THAT(run(vault->standing({7, 9}))->at(9).acknowledgments, IsEmpty());
  EXPECT_THAT(run(vault->tenants()).value(), ElementsAre(7, 8, 9));
}

TEST_F(VaultTest, AnEdgeThatServesItNoLongerHasNoAcknowledgment) {
  auto const sequence = add(seven, 'a', now + hours(1));
  ASSERT_TRUE(acknowledge("edge-1", sequence, 'a'));
  ASSERT_TRUE(acknowledge("edge-2", sequence, 'a'));
  ASSERT_TRUE(run(vault->drop_acknowledgments("edge-1", {seven, eight})));
  auto const left = run(vault->acknowledgments()).value();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].edge, "edge-2");
}

// What a master key sealed is looked for until there is none, and not again after that.
TEST_F(VaultTest, ThatNothingIsSealedByTheMasterKeyIsRemembered) {
  auto const settled = [this] {
    std::function<base::Result<database::Rows>(database::Database&)> const look = [](database::Database& database) {
      return database.query("SELECT what FROM acme_settled");
    };
    return run(thread->run<database::Rows>(look))->size();
  };
  EXPECT_EQ(settled(), 1U);
  std::function<base::Result<std::int64_t>(database::Database&)> const as_before =
      [this](database::Database& database) {
        return database.write([this](database::Transaction& transaction) -> base::Result<void> {
          (void)transaction.execute("DELETE FROM acme_settled");
          (void)transaction.execute("UPDATE certificate SET sealed_key = ? WHERE subject_id = ?",
                                    {database::Blob(60, 1), seven});
          return {};
        });
      };
  add(seven, 'a', now + hours(1));
  ASSERT_TRUE(run(thread->run<std::int64_t>(as_before)));
  open();
  ASSERT_TRUE(opened);
  EXPECT_EQ(settled(), 0U) << "one does not open yet: a former master key may come";
  ASSERT_TRUE(run(vault->forget_subject(seven)));
  open();
  ASSERT_TRUE(opened);
  EXPECT_EQ(settled(), 1U);
}

}  // namespace
}  // namespace vault
