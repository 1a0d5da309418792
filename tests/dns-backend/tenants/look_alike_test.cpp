#include "dns-backend/tenants/look_alike.hpp"

#include <gmock/gmock.h>

namespace {

using tenants::mixed_scripts;
using tenants::reads_as;
using tenants::skeleton;

TEST(LookAlike, LettersOfOtherScriptsAreReadAsLatinOnes) {
  EXPECT_EQ(skeleton("аԁmіn"), "admin");  // Cyrillic a, d, i
  EXPECT_EQ(skeleton("ἀpi").substr(3), "pi");
  EXPECT_EQ(skeleton("αρι"), "api");  // Greek
  EXPECT_EQ(skeleton("ádmïn"), "admin");
  EXPECT_EQ(skeleton("ADMIN"), "admin");
  EXPECT_EQ(skeleton("ａｄｍｉｎ"), "admin");  // full width
  EXPECT_EQ(skeleton("acme-tv"), "acme-tv");
}

TEST(LookAlike, DigitsPairsAndHyphensDoNotHideAWord) {
  EXPECT_TRUE(reads_as("adm1n", "admin"));
  EXPECT_TRUE(reads_as("adrnin", "admin"));
  EXPECT_TRUE(reads_as("b1og", "blog"));
  EXPECT_TRUE(reads_as("b10g", "blog"));
  EXPECT_TRUE(reads_as("vvvvvv", "www"));
  EXPECT_TRUE(reads_as("ad-min", "admin"));
  EXPECT_FALSE(reads_as("mall", "mail"));
  EXPECT_FALSE(reads_as("admins", "admin"));
  EXPECT_FALSE(reads_as("", "admin"));
}

TEST(LookAlike, TwoScriptsInOneLabelAreSeen) {
  EXPECT_EQ(mixed_scripts("pаypal"), "Latin and Cyrillic");
  EXPECT_EQ(mixed_scripts("αcme"), "Latin and Greek");
  EXPECT_EQ(mixed_scripts("почта"), "");
  EXPECT_EQ(mixed_scripts("bücher-7"), "");
}

}  // namespace
