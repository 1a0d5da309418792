// What is served, and shown, while a CA does not replace what was revoked.
#include "tests/acme/certificates_fixture.hpp"

namespace acme {
namespace {

using RevokedCertificatesTest = CertificatesFixture;

TEST_F(RevokedCertificatesTest, TheFormerOneIsServedAndShownWhileItIsGood) {
  add_tenant("one");
  start();
  ASSERT_TRUE(issued(1));
  auto const shown = [this] { return status_of("one.stream.example"); };
  std::string const former = shown().fingerprint;
  issuer->order_now(shown().subject_id);
  ASSERT_TRUE(until([&] { return shown().fingerprint != former && shown().state == "valid"; }));
  ca->knobs.refuse["new-order"] = 1000;
  ASSERT_TRUE(run(issuer->revoke(shown().subject_id, 1)));
  ASSERT_TRUE(until([&] { return shown().state == "valid" && !shown().last_error.empty(); }));
  EXPECT_EQ(shown().fingerprint, former);
  EXPECT_FALSE(shown().revoked);
  int const asked = ca->counters.bad_requests;
  retire();
  start();
  ASSERT_TRUE(until([&] { return ca->counters.bad_requests > asked; })) << "its replacement is still wanted";
  EXPECT_EQ(shown().fingerprint, former);
  ca->knobs.refuse.clear();
  issuer->order_now(shown().subject_id);
  EXPECT_TRUE(until([&] { return shown().fingerprint != former && shown().state == "valid"; }));
}

TEST_F(RevokedCertificatesTest, OneWithoutAFormerOneIsShownAsRevoked) {
  add_tenant("one");
  start();
  ASSERT_TRUE(issued(1));
  ca->knobs.refuse["new-order"] = 1000;
  ASSERT_TRUE(run(issuer->revoke(status_of("one.stream.example").subject_id, 4)));
  ASSERT_TRUE(until([this] { return status_of("one.stream.example").state == "revoked"; }));
  EXPECT_TRUE(status_of("one.stream.example").revoked);
}

}  // namespace
}  // namespace acme
