// A CA that is away or stalls: what waits for it waits alone, and is not lost.
#include "tests/acme/certificates_fixture.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <algorithm>

namespace acme {
namespace {

using testing::HasSubstr;

class StalledAuthoritiesTest : public CertificatesFixture {
 protected:
  void issued_elsewhere(std::string const& directory_url) {
    write([=](store::Write const& transaction) -> base::Result<void> {
      auto const changed = transaction.transaction.execute(
          "UPDATE certificate SET directory_url = ? WHERE sequence = (SELECT min(sequence) FROM certificate)",
          {directory_url});
      return changed ? base::Result<void>() : base::Result<void>(changed.error());
    });
  }
  auto count_of(std::string const& name) {
    return std::ranges::count(certificates(), name, &vault::CertificateRow::subject);
  }
};

TEST_F(StalledAuthoritiesTest, OneThatStallsHoldsUpNoSuggestionOfAnother) {
  add_tenant("one");
  start();
  ASSERT_TRUE(issued(1));
  add_tenant("two");
  issuer->poke();
  ASSERT_TRUE(issued(2));
  retire();
  // Connections are taken by the kernel, and nobody ever reads them.
  net::asio::ip::tcp::acceptor const stalled(loop, {net::asio::ip::make_address("127.0.0.1"), 0});
  std::string const directory = "http://127.0.0.1:" + std::to_string(stalled.local_endpoint().port()) + "/dir";
  issued_elsewhere(directory);
  settings.authorities.emplace_back();
  settings.authorities[1].directory_url = directory;
  auto const now = crypto::wall_now();
  ca->knobs.window = std::pair(now + std::chrono::hours(700), now + std::chrono::hours(710));
  start();
  EXPECT_TRUE(until([this] { return ca->counters.renewal_infos == 1; })) << "the other one has 30 s to answer";
}

TEST_F(StalledAuthoritiesTest, ARevocationOutlivesItsTenantUntilTheCaTookIt) {
  add_tenant("one");
  start();
  ASSERT_TRUE(issued(1));
  ca->knobs.lose["revoke"] = 1000000;
  ASSERT_TRUE(run(issuer->revoke(*issuer->find("one"), 1)));
  run(store->delete_tenant("one")).value();
  issuer->poke();
  ASSERT_TRUE(until([this] {
    auto const pending = issuer->revocations();
    return issuer->status().empty() && !pending.empty() && pending.front().failures > 0;
  }));
  // Of another name everything is gone after its last round; of this one it is not.
  add_tenant("two");
  issuer->poke();
  ASSERT_TRUE(issued(1));
  run(store->delete_tenant("two")).value();
  issuer->poke();
  ASSERT_TRUE(until([this] { return count_of("two.stream.example") == 0; }));
  EXPECT_GT(count_of("one.stream.example"), 0);
  // Nor does it end with the process.
  retire();
  start();
  ASSERT_TRUE(until([this] {
    auto const pending = issuer->revocations();
    return !pending.empty() && !pending.front().last_error.empty();
  }));
  EXPECT_THAT(issuer->revocations().front().last_error, HasSubstr("revokeCert"));
  ca->knobs.lose.clear();
  EXPECT_TRUE(until([this] {
    issuer->poke();
    return certificates().empty();
  }));
  EXPECT_EQ(issuer->revocations().size(), 0U);
}

}  // namespace
}  // namespace acme
