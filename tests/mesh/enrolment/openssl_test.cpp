#include "mesh/enrolment/openssl.hpp"

#include "mesh/enrolment/credentials.hpp"

#include <gtest/gtest.h>

namespace {

TEST(OpenSsl, RefusesWhatIsNoPemOfItsKind) {
  std::string const key = enrolment::make_key_pem().value();
  EXPECT_TRUE(enrolment::parse_key(key));
  EXPECT_EQ(enrolment::parse_key("").error().code, enrolment::errc::crypto);
  EXPECT_EQ(enrolment::parse_certificate(key).error().code, enrolment::errc::crypto);
  EXPECT_EQ(enrolment::parse_request(key).error().code, enrolment::errc::bad_request);
  EXPECT_EQ(enrolment::parse_key(key.substr(0, key.size() / 2)).error().code, enrolment::errc::crypto);
}

TEST(Credentials, ARequestNamesItsNodeAndATamperedOneIsRefused) {
  std::string const csr = enrolment::make_csr_pem(enrolment::make_key_pem().value(), "ams-1").value();
  EXPECT_EQ(enrolment::csr_name(csr).value(), "ams-1");
  std::string tampered = csr;
  std::size_t const middle = tampered.size() / 2;
  tampered[middle] = tampered[middle] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(enrolment::csr_name(tampered));
}

}  // namespace
