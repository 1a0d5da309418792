#include "dns-backend/dns/name.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <random>

namespace dns {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Name name(std::string_view text) {
  return Name::parse(text).value();
}

TEST(Name, is_lower_case_with_a_final_dot_however_it_was_written) {
  EXPECT_EQ(name("WWW.Example.ORG").text(), "www.example.org.");
  EXPECT_EQ(name("www.example.org.").text(), "www.example.org.");
  EXPECT_EQ(name("WWW.Example.ORG"), name("www.example.org."));
  EXPECT_EQ(name("www.example.org").labels(), 3U);
}

TEST(Name, the_root_is_one_dot_with_an_empty_key) {
  EXPECT_EQ(name(".").text(), ".");
  EXPECT_TRUE(name(".").is_root());
  EXPECT_EQ(name(".").key(), "");
  EXPECT_EQ(name("."), Name());
  EXPECT_EQ(name(".").parent(), name("."));
}

TEST(Name, escapes_keep_dots_blanks_and_octets_inside_a_label) {
  EXPECT_EQ(name("a\\.b.example").labels(), 2U);
  EXPECT_EQ(name("a\\.b.example").text(), "a\\.b.example.");
  EXPECT_EQ(name("a\\032b.example").text(), "a\\032b.example.");
  EXPECT_EQ(name("a b.example"), name("a\\032b.example"));
  EXPECT_EQ(name("\\065.example"), name("a.example"));
  EXPECT_EQ(name("\\255\\000.x").text(), "\\255\\000.x.");
  EXPECT_EQ(name("a\\\\b.x").text(), "a\\\\b.x.");
  EXPECT_EQ(name("a;b\"(c)@$.x").text(), "a\\;b\\\"\\(c\\)\\@\\$.x.");
  EXPECT_EQ(name("*._acme-challenge.x").text(), "*._acme-challenge.x.");
}

TEST(Name, text_reads_back_as_the_same_name_for_every_octet) {
  for (int octet = 0; octet < 256; ++octet) {
    std::array<char, 8> escape{};
    std::snprintf(escape.data(), escape.size(), "\\%03d", octet);
    Name const first = name("x" + std::string(escape.data()) + "y.zone");
    EXPECT_EQ(name(first.text()), first) << octet;
    EXPECT_EQ(name(first.text()).text(), first.text()) << octet;
    EXPECT_EQ(first.labels(), 2U) << octet;
    EXPECT_EQ(first.parent(), name("zone")) << octet;
    EXPECT_EQ(first.wire().size(), 1U + 3U + 1U + 4U + 1U) << octet;
  }
}

TEST(Name, what_is_no_name_is_refused_with_the_reason) {
  auto const why = [](std::string_view text) {
    auto const result = Name::parse(text);
    EXPECT_TRUE(result.has_error()) << text;
    return result ? std::string() : result.error().detail;
  };
  EXPECT_THAT(why(""), HasSubstr("empty"));
  EXPECT_THAT(why("a..b"), HasSubstr("empty label"));
  EXPECT_THAT(why(".a"), HasSubstr("empty label"));
  EXPECT_THAT(why(".."), HasSubstr("empty label"));
  EXPECT_THAT(why("a\\"), HasSubstr("backslash"));
  EXPECT_THAT(why("a\\25"), HasSubstr("backslash"));
  EXPECT_THAT(why("a\\256"), HasSubstr("backslash"));
  EXPECT_THAT(why("a\\1x2"), HasSubstr("backslash"));
  EXPECT_EQ(Name::parse("a..b").error().code, errc::bad_name);
}

TEST(Name, the_limits_are_63_octets_a_label_and_255_a_name) {
  std::string const label(63, 'a');
  EXPECT_TRUE(Name::parse(label + ".x"));
  EXPECT_FALSE(Name::parse(label + "a.x"));
  std::string const long_name = label + "." + label + "." + label + ".";  // 192 octets of 255 with the root
  EXPECT_TRUE(Name::parse(long_name + std::string(61, 'b')));
  EXPECT_FALSE(Name::parse(long_name + std::string(62, 'b')));
  EXPECT_EQ(name(long_name + std::string(61, 'b')).wire().size(), 255U);
  EXPECT_FALSE(Name::parse(std::string(100'000, 'a')));
  EXPECT_TRUE(Name::parse(std::string(62, 'a') + "\\000.x"));
}

TEST(Name, u_labels_become_a_labels) {
  EXPECT_EQ(name("bücher.example").text(), "xn--bcher-kva.example.");
  EXPECT_EQ(name("BÜCHER.example").text(), "xn--bcher-kva.example.");
  EXPECT_EQ(name("straße.de").text(), "xn--strae-oqa.de.");
  EXPECT_EQ(name("_dmarc.münchen.de").text(), "_dmarc.xn--mnchen-3ya.de.");
  EXPECT_FALSE(Name::parse("\xff\xfe.example"));
  EXPECT_FALSE(Name::parse("a☃️‍b.example"));
  EXPECT_FALSE(Name::parse("ü\\046x.example"));
}

TEST(Name, canonical_order_is_that_of_rfc_4034_section_6_1) {
  std::vector<Name> names;
  for (auto const* text : {"*.z.example", "\\200.z.example", "zABC.a.EXAMPLE", "example", "Z.a.example",
                           "yljkjljk.a.example", "a.example", "\\001.z.example", "z.example"}) {
    names.push_back(name(text));
  }
  std::sort(names.begin(), names.end());
  std::vector<std::string> texts;
  for (Name const& sorted : names) {
    texts.push_back(sorted.text());
  }
  EXPECT_THAT(texts, ElementsAre("example.", "a.example.", "yljkjljk.a.example.", "z.a.example.", "zabc.a.example.",
                                 "z.example.", "\\001.z.example.", "*.z.example.", "\\200.z.example."));
}

// The definition itself, label by label, against the key's memcmp.
bool canonical_less(std::vector<std::string> const& a, std::vector<std::string> const& b) {
  return std::lexicographical_compare(a.rbegin(), a.rend(), b.rbegin(), b.rend());
}

TEST(Name, keys_sort_like_labels_compared_from_the_right_even_with_zero_octets) {
  std::mt19937 random(4034);
  std::string const octets("\0\1a.", 4);
  std::vector<std::pair<std::vector<std::string>, Name>> names;
  for (int i = 0; i < 400; ++i) {
    std::vector<std::string> labels;
    std::string text;
    for (auto count = 1 + random() % 3; count > 0; --count) {
      std::string label;
      for (auto length = 1 + random() % 3; length > 0; --length) {
        label.push_back(octets[random() % octets.size()]);
      }
      for (char const c : label) {
        std::array<char, 8> escape{};
        std::snprintf(escape.data(), escape.size(), "\\%03d", c);
        text += escape.data();
      }
      text += ".";
      labels.push_back(label);
    }
    names.emplace_back(labels, name(text));
  }
  for (auto const& [labels_a, name_a] : names) {
    std::vector<std::string> const up(labels_a.begin() + 1, labels_a.end());
    EXPECT_EQ(name_a.parent().labels(), up.size());
    EXPECT_TRUE(name_a.is_within(name_a.parent()));
    EXPECT_EQ(name(name_a.parent().text()).key(), name_a.parent().key());
    for (auto const& [labels_b, name_b] : names) {
      EXPECT_EQ(name_a < name_b, canonical_less(labels_a, labels_b));
      bool const within =
          labels_a.size() >= labels_b.size() && std::equal(labels_b.rbegin(), labels_b.rend(), labels_a.rbegin());
      EXPECT_EQ(name_a.is_within(name_b), within);
    }
  }
}

TEST(Name, is_within_counts_labels_and_not_characters) {
  EXPECT_TRUE(name("www.example.org").is_within(name("example.org")));
  EXPECT_TRUE(name("example.org").is_within(name("example.org")));
  EXPECT_TRUE(name("example.org").is_within(name(".")));
  EXPECT_FALSE(name("wwwexample.org").is_within(name("example.org")));
  EXPECT_FALSE(name("org").is_within(name("example.org")));
  EXPECT_FALSE(name("a\\.example.org").is_within(name("example.org")));
}

TEST(Name, relative_to_is_what_the_nsec_calls_of_powerdns_use) {
  EXPECT_EQ(name("www.example.org").relative_to(name("example.org")), "www.");
  EXPECT_EQ(name("a.b.example.org").relative_to(name("example.org")), "a.b.");
  EXPECT_EQ(name("example.org").relative_to(name("example.org")), ".");
  EXPECT_EQ(name("org").relative_to(name(".")), "org.");
  EXPECT_EQ(name(".").relative_to(name(".")), ".");
}

TEST(Name, a_key_leads_back_to_its_name_and_to_its_parent) {
  for (char const* const text : {".", "org.", "www.example.org.", "*.example.org.", "a\\.b.example.org.",
                                 "\\000.example.org.", "a\\000.\\000b.org.", "sp\\032ace.\\255.org."}) {
    Name const expected = name(text);
    Name const found = Name::from_key(expected.key());
    EXPECT_EQ(found.text(), expected.text());
    EXPECT_EQ(found.key(), expected.key());
    EXPECT_EQ(found.labels(), expected.labels());
    EXPECT_EQ(parent_key(expected.key()), expected.parent().key()) << text;
    KeyBuffer buffer;
    ASSERT_TRUE(buffer.read(expected.text())) << text;
    EXPECT_EQ(buffer.key(), expected.key()) << text;
  }
}

TEST(Name, a_key_buffer_takes_only_what_is_surely_a_name) {
  std::string const label(63, 'a');
  KeyBuffer buffer;
  EXPECT_TRUE(buffer.read("WWW.Example.ORG."));
  EXPECT_EQ(buffer.key(), name("www.example.org").key());
  EXPECT_TRUE(buffer.read(label + "." + label + "." + label + "." + label.substr(2) + "."));
  for (std::string const& text : {std::string(), std::string("www"), std::string(".."), std::string(".a."),
                                  std::string("a\\"), std::string("a\\25."), std::string("a\\256."), label + "a.",
                                  std::string("\xc3\xa4."), label + "." + label + "." + label + "." + label + "."}) {
    EXPECT_FALSE(buffer.read(text)) << text;
  }
}

TEST(Name, child_takes_exactly_one_label) {
  EXPECT_EQ(name("example.org").child("*")->text(), "*.example.org.");
  EXPECT_EQ(name(".").child("org")->text(), "org.");
  EXPECT_FALSE(name("example.org").child("a.b"));
  EXPECT_FALSE(name("example.org").child(""));
  EXPECT_FALSE(name("example.org").child("a\\"));
  EXPECT_FALSE(name("example.org").child(std::string(64, 'a')));
  EXPECT_TRUE(name("example.org").child("*")->is_wildcard());
}

TEST(Name, relative_names_are_completed_by_the_origin) {
  Name const origin = name("example.org");
  EXPECT_EQ(Name::parse("www", origin)->text(), "www.example.org.");
  EXPECT_EQ(Name::parse("www.", origin)->text(), "www.");
  EXPECT_EQ(Name::parse("@", origin)->text(), "example.org.");
  EXPECT_EQ(Name::parse("a\\.", origin)->text(), "a\\..example.org.");
  EXPECT_EQ(Name::parse("a\\\\.", origin)->text(), "a\\\\.");
  EXPECT_EQ(Name::parse("www", name("."))->text(), "www.");
  EXPECT_FALSE(Name::parse("", origin));
  EXPECT_TRUE(Name::parse(".", origin)->is_root());
  EXPECT_FALSE(Name::parse("\\", origin));
}

}  // namespace
}  // namespace dns
