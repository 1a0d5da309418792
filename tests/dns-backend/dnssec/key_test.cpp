#include "dns-backend/dnssec/key.hpp"

#include <gmock/gmock.h>

namespace {

using testing::ElementsAre;

// Made by PowerDNS 4.7.3, which also says what must come out.
char const* const ecdsa =
    "Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\nPrivateKey: "
    "jxcNVbJsWz7g0EQ20xs8pwsI3QwDqf/PFwUiWIuTx/Y=\n";

TEST(Key, YieldsTheRecordsThatPowerDnsPublishes) {
  auto const key = dnssec::public_key(ecdsa, 257, dns::Name::parse("c.test").value());
  ASSERT_TRUE(key) << key.error().what();
  EXPECT_EQ(key->dnskey,
            "257 3 13 1on0ENOQ39XKpT5XrBC6c7RwG6l5Hy0SNL1HutumFd2m5VUmZlDhZXp0jTsK5LpyhwNNopmRzTi3Tt6dWXcRxA==");
  EXPECT_THAT(key->ds,
              ElementsAre("9017 13 1 71f74121dbaa5ed68534fb7b9b07b94d4a303cb9",
                          "9017 13 2 50b4a94975eda3b4ba0b9063246afb40c1f02bb8cd793e24ffb6229a9c91b755",
                          "9017 13 4 886be562ae67bef302b6991ec5f2e38b8d0c47727a26b4effa4b089ac62e3d670d77cfbd9445d3db"
                          "f956637e36a60fe9"));
  EXPECT_EQ(key->algorithm, 13U);
  EXPECT_EQ(key->bits, 256U);
}

TEST(Key, WhatIsMadeCanBeRead) {
  for (auto const& [algorithm, bits] :
       {std::pair{8U, 2048U}, {10U, 1024U}, {13U, 0U}, {14U, 384U}, {15U, 0U}, {16U, 0U}}) {
    auto const text = dnssec::generate(algorithm, bits);
    ASSERT_TRUE(text) << algorithm << ": " << text.error().what();
    auto const key = dnssec::public_key(*text, 256, dns::Name::parse("example.org").value());
    ASSERT_TRUE(key) << algorithm << ": " << key.error().what();
    EXPECT_EQ(key->algorithm, algorithm);
    EXPECT_EQ(key->bits, bits == 0 ? key->bits : bits);
    EXPECT_TRUE(key->dnskey.starts_with("256 3 " + std::to_string(algorithm) + " ")) << key->dnskey;
    EXPECT_NE(*text, dnssec::generate(algorithm, bits).value()) << "two keys are never the same";
  }
}

TEST(Key, RefusesWhatIsNone) {
  dns::Name const zone = dns::Name::parse("example.org").value();
  for (char const* const text : {"", "foo", "Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\n",
                                 "Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\nPrivateKey: !!\n",
                                 "Private-key-format: v9\nAlgorithm: 13\nPrivateKey: jxcNVbJs\n"}) {
    auto const key = dnssec::public_key(text, 257, zone);
    ASSERT_FALSE(key) << text;
    EXPECT_EQ(key.error().code, dnssec::errc::bad_key);
  }
  EXPECT_EQ(dnssec::public_key(std::string(20000, 'x'), 257, zone).error().code, dnssec::errc::bad_key);
}

TEST(Key, SizesAndAlgorithmsAreChecked) {
  EXPECT_EQ(dnssec::generate(8, 0).error().code, dnssec::errc::bad_size);
  EXPECT_EQ(dnssec::generate(8, 12).error().code, dnssec::errc::bad_size);
  EXPECT_EQ(dnssec::generate(13, 12).error().code, dnssec::errc::bad_size);
  EXPECT_EQ(dnssec::generate(5, 2048).error().code, dnssec::errc::bad_algorithm);
  EXPECT_EQ(dnssec::generate(99, 0).error().code, dnssec::errc::bad_algorithm);
  EXPECT_EQ(dnssec::algorithm_number("ecdsap256sha256"), 13U);
  EXPECT_EQ(dnssec::algorithm_number("ecdsa384"), 14U);
  EXPECT_EQ(dnssec::algorithm_number("8"), 8U);
  EXPECT_EQ(dnssec::algorithm_number("nope"), 0U);
  EXPECT_EQ(dnssec::algorithm_name(8), "RSASHA256");
  EXPECT_EQ(dnssec::algorithm_name(99), "");
}

}  // namespace
