#include "dns-backend/zone_file/zone_file.hpp"

#include <gmock/gmock.h>

#include <map>

namespace dns {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Name const apex = Name::parse("example.org").value();

std::string const head = "$TTL 1h\n@ IN SOA ns hostmaster 1 2h 30m 4w 5m\n  NS ns\nns A 192.0.2.1\n";

std::vector<OwnedRRset> good(std::string const& text) {
  auto const result = parse_zone_file(text, "zone", apex);
  EXPECT_TRUE(result.has_value()) << (result ? "" : base::text(result.error()));
  return result ? *result : std::vector<OwnedRRset>{};
}

std::vector<std::string> problems(std::string const& text) {
  auto const result = parse_zone_file(text, "zone", apex);
  std::vector<std::string> texts;
  if (result.has_error()) {
    for (base::Problem const& problem : result.error()) {
      texts.push_back(problem.text());
    }
  }
  return texts;
}

RRset const* find(std::vector<OwnedRRset> const& rrsets, std::string_view owner, RRType type) {
  for (OwnedRRset const& owned : rrsets) {
    if (owned.owner == Name::parse(owner).value() && owned.rrset.type == type) {
      return &owned.rrset;
    }
  }
  return nullptr;
}

TEST(ZoneFile, reads_relative_names_blank_owners_parentheses_and_comments) {
  auto const rrsets = good(
      "\xef\xbb\xbf; a zone\n"
      "$TTL 3600\n"
      "@ 1D IN SOA ns.example.org. Host.Master ( 2026112301 ; serial\n"
      "      7200 1800\n"
      "      2419200 300 ) ; the end\r\n"
      "\n"
      "   \t \n"
      "      IN 60 NS ns\n"
      "      60 IN NS ns.other.net.\n"
      "ns    A 192.0.2.1\n"
      "      AAAA 2001:db8::1\n"
      "$ORIGIN sub\n"
      "www   CNAME @\n"
      "@     TXT \"a;(b\" c\n"
      "$ORIGIN example.org.\n"
      "\\*.x 5 TYPE65280 \\# ( 2 0a\n 0b )\n"
      "mail  mx 10 mail\n");
  EXPECT_EQ(rrsets.size(), 8U);
  EXPECT_EQ(*find(rrsets, "example.org", type_soa),
            (RRset{type_soa, 86400, {"ns.example.org. host.master.example.org. 2026112301 7200 1800 2419200 300"}}));
  EXPECT_EQ(*find(rrsets, "example.org", type_ns), (RRset{type_ns, 60, {"ns.example.org.", "ns.other.net."}}));
  EXPECT_EQ(*find(rrsets, "ns.example.org", type_aaaa), (RRset{type_aaaa, 3600, {"2001:db8::1"}}));
  EXPECT_EQ(*find(rrsets, "www.sub.example.org", type_cname), (RRset{type_cname, 3600, {"sub.example.org."}}));
  EXPECT_EQ(*find(rrsets, "sub.example.org", type_txt), (RRset{type_txt, 3600, {"\"a;(b\" \"c\""}}));
  EXPECT_EQ(*find(rrsets, "*.x.example.org", RRType{65280}), (RRset{RRType{65280}, 5, {"\\# 2 0a0b"}}));
}

TEST(ZoneFile, duplicates_collapse_and_contents_are_sorted) {
  auto const rrsets = good(head + "a A 192.0.2.9\na A 192.0.2.10\nA A 192.0.2.9\n");
  EXPECT_THAT(find(rrsets, "a.example.org", type_a)->contents, ElementsAre("192.0.2.10", "192.0.2.9"));
}

TEST(ZoneFile, a_record_without_ttl_takes_the_last_one_or_the_soa_minimum) {
  auto const rrsets = good("@ SOA ns h 1 2 3 4 300\n@ NS ns\nns 60 A 192.0.2.1\nx A 192.0.2.1\n");
  EXPECT_EQ(find(rrsets, "example.org", type_soa)->ttl, 300U);
  EXPECT_EQ(find(rrsets, "example.org", type_ns)->ttl, 300U);
  EXPECT_EQ(find(rrsets, "x.example.org", type_a)->ttl, 60U);
  EXPECT_THAT(problems("@ NS ns\n@ 5 SOA ns h 1 2 3 4 300\n"), Contains(HasSubstr("zone:1: the record has no TTL")));
}

TEST(ZoneFile, all_problems_come_out_with_their_lines) {
  auto const found = problems(head +  // four lines
                              "a A 1.2.3\n"
                              "b FOO x\n"
                              "a..b A 192.0.2.1\n"
                              "$INCLUDE other\n"
                              "$GENERATE 9-1 h$ A 192.0.2.$\n"
                              "$FOO\n"
                              "$TTL never\n"
                              "c 99999999999 A 192.0.2.1\n"
                              "d CH A 192.0.2.1\n"
                              "e 5\n"
                              "f TXT \"open\n"
                              "g MX (\n"
                              "   70000\n"
                              "   mail )\n"
                              "other.net. A 192.0.2.1\n"
                              "h ) A 192.0.2.1\n");
  EXPECT_THAT(found, ElementsAre(AllOf(HasSubstr("zone:5: "), HasSubstr("'1.2.3' is no A content")),
                                 AllOf(HasSubstr("zone:6: "), HasSubstr("'FOO' is no record type")),
                                 AllOf(HasSubstr("zone:7: "), HasSubstr("empty label")),
                                 AllOf(HasSubstr("zone:8: "), HasSubstr("$INCLUDE is not supported")),
                                 AllOf(HasSubstr("zone:9: "), HasSubstr("this $GENERATE makes no sense")),
                                 AllOf(HasSubstr("zone:10: "), HasSubstr("unknown directive")),
                                 AllOf(HasSubstr("zone:11: "), HasSubstr("is no TTL")),
                                 AllOf(HasSubstr("zone:12: "), HasSubstr("is no TTL")),
                                 AllOf(HasSubstr("zone:13: "), HasSubstr("class CH")),
                                 AllOf(HasSubstr("zone:14: "), HasSubstr("no type")),
                                 AllOf(HasSubstr("zone:15: "), HasSubstr("quote is not closed")),
                                 AllOf(HasSubstr("zone:16: "), HasSubstr("no number of 16 bits")),
                                 AllOf(HasSubstr("zone:19: "), HasSubstr("outside the zone")),
                                 AllOf(HasSubstr("zone:20: "), HasSubstr("closes nothing"))));
}

TEST(ZoneFile, what_makes_no_zone_is_reported_at_the_record_that_does_it) {
  EXPECT_THAT(problems(""), ElementsAre(HasSubstr("no SOA at its apex"), HasSubstr("no NS at its apex")));
  EXPECT_THAT(problems(head + "@ SOA ns other 2 2 3 4 5\n"), ElementsAre(HasSubstr("more than one SOA")));
  EXPECT_THAT(problems(head + "x SOA ns other 2 2 3 4 5\n"),
              ElementsAre(AllOf(HasSubstr("zone:5:"), HasSubstr("not the zone's apex"))));
  EXPECT_THAT(problems(head + "x A 192.0.2.1\nx CNAME y\n"),
              ElementsAre(AllOf(HasSubstr("zone:6:"), HasSubstr("CNAME beside"))));
  EXPECT_THAT(problems(head + "x CNAME z\nx CNAME y\n"),
              ElementsAre(AllOf(HasSubstr("zone:5:"), HasSubstr("more than one CNAME"))));
  EXPECT_THAT(problems(head + "@ CNAME z\n"), ElementsAre(AllOf(HasSubstr("zone:5:"), HasSubstr("ALIAS"))));
  EXPECT_THAT(problems(head + "x 5 A 192.0.2.1\nx 6 A 192.0.2.2\n"),
              ElementsAre(AllOf(HasSubstr("zone:6:"), HasSubstr("different TTLs"))));
  EXPECT_THAT(problems(head + "x 5 RRSIG A 13 2 5 20260101000000 20250101000000 1 y aaaa\n"
                              "x 6 RRSIG NSEC 13 2 6 20260101000000 20250101000000 1 y aaaa\n"),
              IsEmpty());
  EXPECT_THAT(problems(head + "x CNAME y\nx NSEC y A\n"), IsEmpty());
  EXPECT_THAT(problems(" A 192.0.2.1\n" + head),
              ElementsAre(AllOf(HasSubstr("zone:1:"), HasSubstr("no owner")), HasSubstr("zone:1:")));
  EXPECT_THAT(problems(head + "x A (192.0.2.1\ny A 192.0.2.2\n"),
              Contains(AllOf(HasSubstr("zone:5:"), HasSubstr("never closed"))));
}

// RFC 4034 3: each has the TTL of what it covers, though one name's signatures are kept as one RRset.
TEST(ZoneFile, signatures_of_one_name_keep_their_own_ttls) {
  auto const rrsets = good(head +
                           "x 5 RRSIG A 13 2 5 20260101000000 20250101000000 1 @ aaaa\n"
                           "x 600 RRSIG TXT 13 2 600 20260101000000 20250101000000 1 @ aaaa\n");
  std::string const text = to_zone_file(apex, rrsets);
  EXPECT_THAT(text, HasSubstr("x.example.org.\t5\tIN\tRRSIG\tA 13 2 5 "));
  EXPECT_THAT(text, HasSubstr("x.example.org.\t600\tIN\tRRSIG\tTXT 13 2 600 "));
}

TEST(ZoneFile, writing_and_reading_gives_the_same_zone) {
  auto const rrsets = good(head +
                           "*.w A 192.0.2.1\n"
                           "a\\.b TXT \"q\\\"uote\\\\ \\000\\255\"\n"
                           "x\\;y\\032\\@ CNAME a\\(b\\).c\n"
                           "sub NS ns.sub\nsub DS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118\n"
                           "t TYPE65280 \\# 3 010203\nal ALIAS edge.example.net.\nl LUA A \"x;(y)\"\n"
                           "h HTTPS 1 . alpn=h2,h3\nloc LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m\n");
  std::string const text = to_zone_file(apex, rrsets);
  auto const again = good(text);
  EXPECT_EQ(again, rrsets);
  EXPECT_EQ(to_zone_file(apex, again), text);
  EXPECT_THAT(text, HasSubstr("$ORIGIN example.org.\nexample.org.\t3600\tIN\tSOA\t"));
}

TEST(ZoneFile, the_number_of_reported_problems_is_bounded) {
  std::string text = head;
  for (int i = 0; i < 3000; ++i) {
    text += "x A nonsense\n";
  }
  auto const found = problems(text);
  EXPECT_EQ(found.size(), 1001U);
  EXPECT_THAT(found.back(), HasSubstr("too many"));
}

}  // namespace
TEST(ZoneFile, generate_makes_records_of_a_pattern) {
  auto const rrsets = good(head + "$GENERATE 1-3 h$ 60 IN A 192.0.2.$\n$GENERATE 0-4/2 ${10,4,x} CNAME h\\$$\n");
  EXPECT_EQ(find(rrsets, "h1.example.org", type_a)->contents, std::vector<std::string>{"192.0.2.1"});
  EXPECT_EQ(find(rrsets, "h3.example.org", type_a)->ttl, 60U);
  EXPECT_EQ(find(rrsets, "000a.example.org", type_cname)->contents, std::vector<std::string>{"h\\$0.example.org."});
  EXPECT_EQ(find(rrsets, "000e.example.org", type_cname)->contents, std::vector<std::string>{"h\\$4.example.org."});
  EXPECT_EQ(find(rrsets, "000b.example.org", type_cname), nullptr);
  EXPECT_THAT(problems(head + "$GENERATE 1-300 h$ A 192.0.2.$\n"), ElementsAre(HasSubstr("zone:5: ")))
      << "one complaint, not forty-five";
  EXPECT_THAT(problems(head + "$GENERATE 1-99999 h$ A 192.0.2.1\n"), ElementsAre(HasSubstr("makes no sense")));
  EXPECT_THAT(problems(head + "$GENERATE 1-2 ${1,2,q} A 192.0.2.1\n"), ElementsAre(HasSubstr("is no ${offset")));
}

TEST(ZoneFile, an_included_file_has_its_own_origin_and_its_own_problems) {
  std::map<std::string, std::string> const files = {
      {"sub", "@ A 192.0.2.7\nhost A 192.0.2.8\n$ORIGIN deep\nx A 192.0.2.9\n"},
      {"bad", "a A 192.0.2.1\nb A 1.2.3\n"},
      {"loop", "$INCLUDE loop\n"}};
  FileOptions options;
  options.include = [&files](std::string const& name, std::string const& from) -> base::Result<FileOptions::Included> {
    auto const found = files.find(name);
    if (found == files.end()) {
      return base::fail(errc::bad_name, from + " includes " + name + ", which is not there");
    }
    return FileOptions::Included{name, found->second};
  };
  auto const whole = parse_zone_file(head + "w A 192.0.2.1\n$INCLUDE sub sub\n  TXT \"of w\"\nplain A 192.0.2.2\n",
                                     "zone", apex, options);
  ASSERT_TRUE(whole) << base::text(whole.error());
  EXPECT_NE(find(*whole, "sub.example.org", type_a), nullptr);
  EXPECT_NE(find(*whole, "host.sub.example.org", type_a), nullptr);
  EXPECT_NE(find(*whole, "x.deep.sub.example.org", type_a), nullptr);
  EXPECT_NE(find(*whole, "w.example.org", type_txt), nullptr) << "the owner of the line before the inclusion";
  EXPECT_NE(find(*whole, "plain.example.org", type_a), nullptr);
  auto const bad = parse_zone_file(head + "$INCLUDE bad\n$INCLUDE none\n$INCLUDE loop\nz A 9\n", "zone", apex, options);
  ASSERT_FALSE(bad);
  std::string const text = base::text(bad.error());
  EXPECT_THAT(text, HasSubstr("bad:2: "));
  EXPECT_THAT(text, HasSubstr("zone includes none, which is not there"));
  EXPECT_THAT(text, HasSubstr("more than 8 deep"));
  EXPECT_THAT(text, HasSubstr("zone:8: "));
}

TEST(ZoneFile, records_alone_need_no_soa) {
  FileOptions options;
  options.whole_zone = false;
  EXPECT_TRUE(parse_zone_file("a 60 A 192.0.2.1\n", "zone", apex, options));
  auto const bad = parse_zone_file("a 60 A 192.0.2.1\na 60 CNAME b\n", "zone", apex, options);
  ASSERT_FALSE(bad);
  EXPECT_THAT(base::text(bad.error()), HasSubstr("zone:"));
}

}  // namespace dns
