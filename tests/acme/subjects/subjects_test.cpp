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
