// Names whose first certificate does not come.
#include "tests/acme/certificates_fixture.hpp"

namespace acme {
namespace {

using testing::HasSubstr;

using MissingCertificatesTest = CertificatesFixture;

TEST_F(MissingCertificatesTest, RaiseAnAlarmOfTheirOwnUntilTheyAreThere) {
  settings.first_certificate_within = std::chrono::milliseconds(200);
  ca->knobs.deny = true;
  add_tenant("acme-tv");
  start();
  ASSERT_TRUE(until([this] { return issuer->issuer_status().missing == 1; }));
  EXPECT_EQ(issuer->issuer_status().alarms, 0U);
  EXPECT_TRUE(issuer->status()[0].alarm);
  EXPECT_TRUE(issuer->status()[0].missing);
  EXPECT_THAT(metrics.text(), HasSubstr("navigator_acme_missing 1"));
  ca->knobs.deny = false;
  issuer->order_now(*issuer->find("acme-tv"));
  ASSERT_TRUE(issued(1));
  EXPECT_EQ(issuer->issuer_status().missing, 0U);
  EXPECT_FALSE(issuer->status()[0].alarm);
}

}  // namespace
}  // namespace acme
