#include "mesh/internal_ca/openssl.hpp"

#include "mesh/internal_ca/credentials.hpp"

#include <gtest/gtest.h>

namespace {

TEST(OpenSsl, RefusesWhatIsNoPemOfItsKind) {
  std::string const key = internal_ca::make_key_pem().value();
  EXPECT_TRUE(internal_ca::parse_key(key));
  EXPECT_EQ(internal_ca::parse_key("").error().code, internal_ca::errc::crypto);
  EXPECT_EQ(internal_ca::parse_certificate(key).error().code, internal_ca::errc::crypto);
  EXPECT_EQ(internal_ca::parse_request(key).error().code, internal_ca::errc::bad_request);
  EXPECT_EQ(internal_ca::parse_key(key.substr(0, key.size() / 2)).error().code, internal_ca::errc::crypto);
}

TEST(Credentials, ARequestNamesItsNodeAndATamperedOneIsRefused) {
  std::string const csr = internal_ca::make_csr_pem(internal_ca::make_key_pem().value(), "ams-1").value();
  EXPECT_EQ(internal_ca::csr_name(csr).value(), "ams-1");
  std::string tampered = csr;
  std::size_t const middle = tampered.size() / 2;
  tampered[middle] = tampered[middle] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(internal_ca::csr_name(tampered));
}

}  // namespace
