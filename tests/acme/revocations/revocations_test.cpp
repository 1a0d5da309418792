#include "acme/revocations/revocations.hpp"

#include "acme/schema/schema.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/scripted_acme.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>

namespace acme {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::HasSubstr;

class RevocationsTest : public testing::Test {
 protected:
  RevocationsTest() {
    EXPECT_TRUE(run(vault.open({folder.file("master.key")})));
    AuthoritySettings settings;
    settings.directory_url = ca.directory_url();
    authority = std::make_unique<Authority>(loop.get_executor(), vault, settings);
  }
  ~RevocationsTest() override {
    ca.stop();
    thread.reset();
  }
  template <class T>
  T run(net::Task<T> task) {
    return test::run_task(loop, std::move(task));
  }
  void run(net::Task<void> task) { test::run_task(loop, std::move(task)); }

  // Revoked by an administrator; this CA never issued it, and says no.
  vault::CertificateRow revoked(std::string const& directory_url, Time not_after = crypto::wall_now() + hours(24)) {
    auto const subject = run(vault.ensure_subjects({{0, 7, "a.example"}}, {true}))->front().id;
    std::string const chain = test::TestCa().chain(test::make_key().get(), {{"a.example"}});
    crypto::Certificate certificate = crypto::read_chain(chain).value();
    certificate.not_after = not_after;
    vault::CertificateRow row;
    row.subject_id = subject;
    row.directory_url = directory_url;
    auto const sequence = run(vault.add_certificate(row, certificate, chain, "key", crypto::wall_now())).value();
    EXPECT_TRUE(run(vault.mark_revoked(sequence, 1, std::nullopt)));
    return run(vault.certificates(subject))->back();
  }
  [[nodiscard]] bool is_told() { return run(vault.certificates())->back().revoked_at != Time{}; }
  minutes pause() { return std::chrono::round<minutes>(*revocations.next() - crypto::wall_now()); }

  test::TemporaryFolder folder;
  boost::asio::io_context loop{1};
  test::ScriptedAcme ca{loop.get_executor(), [](std::string const&, std::string const&) { return true; }};
  std::unique_ptr<database::StoreThread> thread = std::make_unique<database::StoreThread>(
      database::Database::open("sqlite://" + folder.file("acme.db"), {vault::schema(), keyring::schema()}).value());
  vault::Vault vault{*thread};
  std::unique_ptr<Authority> authority;
  Revocations revocations{vault,
                          [this](std::string const& directory_url) {
                            return directory_url == ca.directory_url() ? authority.get() : nullptr;
                          },
                          minutes(1)};
};

TEST_F(RevocationsTest, OneOfACaThatIsInTheSettingsNoMoreStaysAndSaysSo) {
  auto const row = revoked("https://former.example/dir");
  revocations.add(row);
  EXPECT_TRUE(revocations.holds(row.subject_id));
  EXPECT_FALSE(revocations.holds(row.subject_id + 1));
  run(revocations.tell());
  EXPECT_FALSE(is_told());
  ASSERT_EQ(revocations.list().size(), 1U);
  EXPECT_THAT(revocations.list().front().last_error, HasSubstr("not in the settings: 'https://former.example/dir'"));
  EXPECT_TRUE(revocations.holds(row.subject_id));
}

TEST_F(RevocationsTest, ARefusalIsNotRepeatedBeforeItsTurn) {
  revocations.add(revoked(ca.directory_url()));
  EXPECT_LE(*revocations.next(), crypto::wall_now());
  run(revocations.tell());
  int const asked = ca.counters.bad_requests;
  EXPECT_GT(asked, 0);
  EXPECT_EQ(pause(), minutes(1));
  run(revocations.tell());
  EXPECT_EQ(ca.counters.bad_requests, asked);
  EXPECT_EQ(revocations.list().front().failures, 1U);
  EXPECT_FALSE(is_told());
}

TEST_F(RevocationsTest, AnExpiredCertificateNeedsNone) {
  auto row = revoked("https://former.example/dir");
  row.not_after = crypto::wall_now() - hours(1);
  revocations.add(row);
  run(revocations.tell());
  EXPECT_FALSE(revocations.holds(row.subject_id));
}

}  // namespace
}  // namespace acme
