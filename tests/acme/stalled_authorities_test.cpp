// A CA that is away or stalls: what waits for it waits alone, and is not lost.
#include "tests/acme/certificates_fixture.hpp"

#include <algorithm>

namespace acme {
namespace {

using testing::HasSubstr;

class StalledAuthoritiesTest : public CertificatesFixture {
 protected:
  auto count_of(std::string const& name) {
    return std::ranges::count(certificates(), name, &vault::CertificateRow::subject);
  }
};

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
