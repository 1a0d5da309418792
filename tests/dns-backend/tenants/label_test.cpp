#include "dns-backend/tenants/label.hpp"

#include <gmock/gmock.h>

namespace {

using tenants::read_label;
using tenants::suggest_label;
using testing::HasSubstr;

TEST(Label, IsReadAsPeopleWriteIt) {
  EXPECT_EQ(read_label("acme-tv").label, "acme-tv");
  EXPECT_EQ(read_label("  Acme-TV ").label, "acme-tv");
  EXPECT_EQ(read_label("Bücher").label, "xn--bcher-kva");
  EXPECT_EQ(read_label("XN--BCHER-KVA").label, "xn--bcher-kva");
  EXPECT_EQ(read_label("почта").label, "xn--80a1acny");
  EXPECT_EQ(read_label(std::string(63, 'a')).label, std::string(63, 'a'));
  for (char const* const fine : {"nsfw", "a", "0", "a--b", "mall", "rnd", "edges", "acme-tv-2"}) {
    EXPECT_EQ(read_label(fine).label, fine) << read_label(fine).problem;
  }
}

TEST(Label, WhatIsNoHostLabelIsRefusedWithOneThatIs) {
  for (char const* const bad : {"", " ", "a.b", "-a", "a-", "a_b", "*", "a b", "a\\.b", "\\097", "ab--c", "xn--",
                                "xn--a", "a\nb", "a\tb", "a@b", "\xff\xfe"}) {
    EXPECT_EQ(read_label(bad).label, "") << bad;
    EXPECT_NE(read_label(bad).problem, "") << bad;
    EXPECT_NE(read_label(bad).hint, "") << bad;
  }
  EXPECT_THAT(read_label("Acme_TV!").hint, HasSubstr("'acme-tv'"));
  EXPECT_THAT(read_label(std::string(64, 'a')).problem, HasSubstr("63 octets"));
  EXPECT_THAT(read_label(std::string(300, 'a')).problem, HasSubstr("63 octets"));
  EXPECT_EQ(read_label(std::string(40, 'a') + "ü" + std::string(40, 'a')).label, "") << "longer once it is encoded";
}

TEST(Label, ReservedWordsAndWhatLooksLikeThemAreRefused) {
  for (std::string const& word : tenants::reserved_words()) {
    EXPECT_EQ(read_label(word).label, "") << word;
  }
  for (char const* const bad : {"ns1", "ns42", "WWW", "edge-1", "edge-egress", "аdmin", "ａｐｉ", "арі", "ápi", "adm1n",
                                "vvvvvv", "ma1l", "rnail"}) {
    EXPECT_EQ(read_label(bad).label, "") << bad << " was read as " << read_label(bad).label;
  }
  EXPECT_THAT(read_label("ápi").problem, HasSubstr("read as 'api'"));
  EXPECT_THAT(read_label("pаypal").problem, HasSubstr("Cyrillic and Latin"));
}

TEST(Label, ANameForPeopleBecomesOne) {
  EXPECT_EQ(suggest_label("Acme TV, Inc."), "acme-tv-inc");
  EXPECT_EQ(suggest_label("__x__"), "x");
  EXPECT_EQ(suggest_label("!!!"), "tenant");
  EXPECT_EQ(suggest_label("Admin"), "tenant");
  EXPECT_EQ(suggest_label(std::string(62, 'a') + " b").size(), 62U);
}

}  // namespace
