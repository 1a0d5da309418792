#include "acme/schema/schema.hpp"

#include "acme/vault/vault.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>

namespace vault {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Time at(std::int64_t seconds) {
  return Time{std::chrono::seconds(seconds)};
}

// A store as version 3 left it: tenant 7 was renamed and has two certificates, tenant 8 has an order under way, tenant
// 9 failed before it had anything.
class MigrationTest : public testing::Test {
 protected:
  MigrationTest() {
    database::Schema former = schema();
    former.migrations.resize(3);
    {
      auto const database = database::Database::open("sqlite://" + file, {former}).value();
      database->write([this](database::Transaction& transaction) { return fill(transaction); }).value();
    }
    thread = std::make_unique<database::StoreThread>(
        database::Database::open("sqlite://" + file, {schema(), keyring::schema()}).value());
    vault = std::make_unique<Vault>(*thread);
    run(vault->open({folder.file("master.key")})).value();
  }
  base::Result<void> fill(database::Transaction& transaction) {
    auto const sealer = keyring::Sealer::load(folder.file("master.key"), true).value();
    auto const certificate = [&](std::int64_t sequence, std::string const& label, char digest) {
      std::string const fingerprint(64, digest);
      (void)transaction
          .execute(
              "INSERT INTO certificate (sequence, tenant_id, names, fingerprint, not_before_ms, not_after_ms, "
              "chain_pem, sealed_key, directory_url, ari_id) VALUES (?, 7, ?, ?, 0, 4000000000000, 'chain', ?, "
              "'https://ca/dir', 'ari')",
              {sequence, "*." + label + ".stream.example " + label + ".stream.example", fingerprint,
               sealer.seal(std::string("key ") + digest, "certificate/7/" + fingerprint)})
          .value();
    };
    certificate(2, "old", 'a');
    certificate(5, "new", 'b');
    (void)transaction.execute("UPDATE sqlite_sequence SET seq = 9 WHERE name = 'certificate'").value();
    (void)transaction
        .execute(
            "INSERT INTO acme_order (tenant_id, names, directory_url, order_url, csr, sealed_key) VALUES (8, "
            "'*.eight.stream.example eight.stream.example', 'https://ca/dir', 'https://ca/order/1', ?, ?)",
            {database::Blob{1, 2}, sealer.seal("order key", "acme_order/8")})
        .value();
    for (char const* const sql :
         {"INSERT INTO acme_attempt (tenant_id, directory_url, failures, not_before_ms, detail) VALUES "
          "(7, '', 2, 1000, 'seven'), (8, 'https://ca/dir', 1, 2000, 'eight'), (9, '', 3, 3000, 'nine')",
          "INSERT INTO acme_event (tenant_id, at_ms, directory_url, outcome, detail) VALUES (7, 1, 'd', 'issued', '')",
          "INSERT INTO edge_acknowledgment (tenant_id, edge, sequence, fingerprint, at_ms) SELECT 7, 'edge-1', "
          "sequence, fingerprint, 1 FROM certificate WHERE sequence = 5",
          "INSERT INTO acme_suggestion (sequence, start_ms, end_ms, at_ms, explanation_url, ask_again_ms) VALUES (5, "
          "1, "
          "2, 1, '', 3)"}) {
      (void)transaction.execute(sql).value();
    }
    return {};
  }
  template <class T>
  T run(net::Task<T> task) {
    return test::run_task(loop, std::move(task));
  }

  test::TemporaryFolder folder;
  std::string const file = folder.file("navigator.db");
  boost::asio::io_context loop;
  std::unique_ptr<database::StoreThread> thread;
  std::unique_ptr<Vault> vault;
};

TEST_F(MigrationTest, EveryRowOfVersion3FindsItsSubject) {
  auto subjects = run(vault->subjects()).value();
  for (SubjectRow& one : subjects) {
    EXPECT_LT(crypto::wall_now() - one.since, std::chrono::hours(1)) << "it is missed from now on";
    one.since = {};
  }
  EXPECT_THAT(subjects, ElementsAre(SubjectRow{1, 7, "old.stream.example"}, SubjectRow{2, 7, "new.stream.example"},
                                    SubjectRow{3, 8, "eight.stream.example"}, SubjectRow{4, 9, ""}));
  auto const certificates = run(vault->certificates()).value();
  ASSERT_EQ(certificates.size(), 2U);
  EXPECT_EQ(certificates[0].subject, "old.stream.example");
  EXPECT_EQ(certificates[1].sequence, 5);
  EXPECT_FALSE(certificates[1].uploaded);
  auto const bundle = run(vault->unsealed_bundle(2)).value();
  EXPECT_EQ(bundle.key_pem, "key b") << "keys open as they were sealed";
  auto const order = run(vault->find_order(3, "https://ca/dir")).value();
  ASSERT_TRUE(order);
  EXPECT_EQ(order->key_pem, "order key");
  EXPECT_EQ(order->order_url, "https://ca/order/1");
  EXPECT_EQ(run(vault->renew_data_key(8)).value(), 1) << "sealed for the row as it is now";
  EXPECT_EQ(run(vault->find_order(3, "https://ca/dir")).value()->key_pem, "order key");
  EXPECT_EQ(run(vault->suggestions())->size(), 1U);
  auto const acknowledgments = run(vault->acknowledgments()).value();
  ASSERT_EQ(acknowledgments.size(), 1U);
  EXPECT_EQ(acknowledgments[0].subject_id, 2);
  EXPECT_EQ(run(vault->events(2))->size(), 1U);
  std::vector<std::int64_t> parked;
  for (Attempt const& attempt : run(vault->attempts()).value()) {
    parked.push_back(attempt.subject_id);
  }
  EXPECT_THAT(parked, ElementsAre(2, 3, 4)) << "a tenant's failures are those of the name it ordered for last";
}

TEST_F(MigrationTest, SequencesGoOnAndANamelessTenantGetsItsName) {
  CertificateRow row;
  row.subject_id = 2;
  crypto::Certificate const certificate{std::string(64, 'c'), {"new.stream.example"}, at(0), at(4000000000), 1};
  EXPECT_EQ(run(vault->add_certificate(row, certificate, "chain", "key", at(1))).value(), 10)
      << "edges compare sequences: none is given out twice";
  auto const named = run(vault->ensure_subjects({{0, 9, "nine.stream.example"}}, {true})).value();
  EXPECT_EQ(named[0].id, 4);
  for (SubjectRow const& subject : run(vault->subjects()).value()) {
    EXPECT_FALSE(subject.name.empty());
  }
  EXPECT_EQ(run(vault->attempts())->back().detail, "nine");
  ASSERT_TRUE(run(vault->forget_subject(2)));
  EXPECT_THAT(run(vault->suggestions()).value(), IsEmpty());
}

}  // namespace
}  // namespace vault
