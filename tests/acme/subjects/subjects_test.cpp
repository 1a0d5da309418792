#include "acme/subjects/subjects.hpp"

#include <gmock/gmock.h>

namespace acme {
namespace {

TEST(RegisteredDomain, IsTwoLabelsOrOneAboveAPublicSuffix) {
  EXPECT_EQ(registered_domain("a.b.stream.example", {}), "stream.example");
  EXPECT_EQ(registered_domain("example", {}), "example");
  EXPECT_EQ(registered_domain("b.stream.example", {"stream.example"}), "b.stream.example");
  EXPECT_EQ(registered_domain("a.b.stream.example", {"example", "stream.example"}), "b.stream.example");
  EXPECT_EQ(registered_domain("stream.example", {"stream.example"}), "stream.example");
  EXPECT_EQ(registered_domain("tv.acme.co.uk", {}), "acme.co.uk") << "else all of Britain would share fifty a week";
  EXPECT_EQ(registered_domain("a.b.github.io", {}), "b.github.io");
  EXPECT_EQ(registered_domain("www.acme.com", {}), "acme.com");
  EXPECT_EQ(registered_domain("a.tenants.acme.co.uk", {"tenants.acme.co.uk"}), "a.tenants.acme.co.uk");
}

TEST(Fits, ACertificateGoesOutOnlyUnderTheNamesItWasMadeFor) {
  Wanted wanted;
  wanted.tenant_id = 7;
  wanted.name = "a.stream.example";
  wanted.names = {"*.a.stream.example", "a.stream.example"};
  vault::CertificateRow row;
  row.tenant_id = 7;
  row.subject = wanted.name;
  row.names = wanted.names;
  EXPECT_TRUE(fits(wanted, row));
  row.names = {"a.stream.example"};
  EXPECT_FALSE(fits(wanted, row));
  row.uploaded = true;
  EXPECT_TRUE(fits(wanted, row)) << "it was looked through when it came";
  row.tenant_id = 8;
  EXPECT_FALSE(fits(wanted, row));
}

}  // namespace
}  // namespace acme
