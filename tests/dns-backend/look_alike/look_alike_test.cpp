#include "dns-backend/look_alike/look_alike.hpp"

#include <gmock/gmock.h>

namespace {

using look_alike::reads_as;
using look_alike::script_fault;
using look_alike::skeleton;

TEST(LookAlike, LettersOfOtherScriptsAreReadAsLatinOnes) {
  EXPECT_EQ(skeleton("аԁmіn"), "admin");  // Cyrillic a, d, i
  EXPECT_EQ(skeleton("ἀpi"), "api");
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

// Letters that no list of ours names: what decomposes, and what Unicode says is confusable.
TEST(LookAlike, WordsBehindMarksAndRareScriptsAreRead) {
  EXPECT_TRUE(reads_as(skeleton("ǎdmin"), "admin"));
  EXPECT_TRUE(reads_as(skeleton("ȧpi"), "api"));
  EXPECT_TRUE(reads_as(skeleton("ṁail"), "mail"));
  EXPECT_TRUE(reads_as(skeleton("ẇww"), "www"));
  EXPECT_TRUE(reads_as(skeleton("ảdmin"), "admin"));
  EXPECT_TRUE(reads_as(skeleton("lⲟgin"), "login"));  // Coptic o
  EXPECT_TRUE(reads_as(skeleton("ꮃww"), "www"));    // Cherokee la
  EXPECT_TRUE(reads_as(skeleton("ꓲmap"), "imap"));    // Lisu i
  EXPECT_TRUE(reads_as(skeleton("𝚊𝚍𝚖𝚒𝚗"), "admin"));  // mathematical
  EXPECT_TRUE(reads_as(skeleton("ɑpi"), "api"));
  EXPECT_FALSE(reads_as(skeleton("bücher"), "mail"));
}

TEST(LookAlike, SeveralScriptsInOneLabelAndRareOnesAreSeen) {
  EXPECT_EQ(script_fault("pаypal"), "it mixes Cyrillic and Latin letters");
  EXPECT_EQ(script_fault("αcme"), "it mixes Greek and Latin letters");
  EXPECT_EQ(script_fault("lⲟgin"), "it mixes Coptic and Latin letters");
  EXPECT_EQ(script_fault("ꮃꭺꮮ"), "it has characters that are not in everyday use: of the script Cherokee");
  EXPECT_EQ(script_fault("ⅽdn"), "it has characters that are not in everyday use");  // a Roman numeral
  for (auto const* good :
       {"почта", "bücher-7", "acme-tv", "東京タワー", "한국어", "straße", "שלום", "ελλάδα", "7", "日本tv"}) {
    EXPECT_EQ(script_fault(good), "") << good;
  }
}

}  // namespace
