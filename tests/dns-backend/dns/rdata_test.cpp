#include "dns-backend/dns/rrset.hpp"

#include <gmock/gmock.h>

namespace dns {
namespace {

using testing::HasSubstr;

std::string norm(std::string_view type, std::string_view content, std::string_view origin = ".") {
  auto const result = normalize_content(parse_type(type).value(), content, Name::parse(origin).value());
  return result ? *result : "refused: " + result.error().detail;
}

TEST(Type, mnemonics_of_any_case_and_numbers_are_read) {
  EXPECT_EQ(parse_type("A")->value, 1);
  EXPECT_EQ(parse_type("aaaa")->value, 28);
  EXPECT_EQ(parse_type("HTTPS")->value, 65);
  EXPECT_EQ(parse_type("TYPE65280")->value, 65280);
  EXPECT_EQ(parse_type("type1")->value, 1);
  EXPECT_EQ(parse_type("ANY")->value, 255);
  EXPECT_EQ(parse_type("AXFR")->value, 252);
  EXPECT_EQ(parse_type("ALIAS")->value, 65401);
  for (auto const* bad :
       {"", "FOO", "TYPE", "TYPE65536", "TYPE1x", "TYPE-1", "A ", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
    EXPECT_FALSE(parse_type(bad)) << bad;
  }
  EXPECT_EQ(parse_type("FOO").error().code, errc::bad_type);
}

TEST(Type, every_number_has_a_text_that_reads_back) {
  for (unsigned value = 0; value <= 65535; ++value) {
    RRType const type{static_cast<std::uint16_t>(value)};
    auto const back = parse_type(to_text(type));
    ASSERT_TRUE(back) << value;
    ASSERT_EQ(back->value, value);
  }
}

TEST(Rdata, content_is_normalised) {
  EXPECT_EQ(norm("A", " 192.0.2.1 "), "192.0.2.1");
  EXPECT_EQ(norm("AAAA", "2001:DB8::0:1"), "2001:db8::1");
  EXPECT_EQ(norm("MX", "10   Mail.Example.ORG"), "10 mail.example.org.");
  EXPECT_EQ(norm("SRV", "1 2 3 A.b."), "1 2 3 a.b.");
  EXPECT_EQ(norm("CNAME", "Target.Example"), "target.example.");
  EXPECT_EQ(norm("CNAME", "a\\@b\\032c.x."), "a\\@b\\032c.x.");
  EXPECT_EQ(norm("CNAME", "bücher.example"), "xn--bcher-kva.example.");
  EXPECT_EQ(norm("MX", "5 bücher", "example.org"), "5 xn--bcher-kva.example.org.");
  EXPECT_EQ(norm("SOA", "ns Host 1 2h 30m 4w 300", "x.org"), "ns.x.org. host.x.org. 1 7200 1800 2419200 300");
  EXPECT_EQ(norm("CAA", "0 issue \"letsencrypt.org\""), "0 issue \"letsencrypt.org\"");
  EXPECT_EQ(norm("HTTPS", "1 . alpn=h2,h3 ipv4hint=192.0.2.1"), "1 . alpn=h2,h3 ipv4hint=192.0.2.1");
  EXPECT_EQ(norm("NSEC3PARAM", "1 0 5 AB"), "1 0 5 ab");
  EXPECT_EQ(norm("CERT", "PKIX 2 3 AQID"), "1 2 3 AQID");
  EXPECT_EQ(norm("TLSA", "3 1 1 0C72AC70"), "3 1 1 0c72ac70");
  EXPECT_EQ(norm("APL", "1:192.168.32.0/21   !1:192.168.38.0/28"), "1:192.168.32.0/21 !1:192.168.38.0/28");
}

TEST(Rdata, txt_is_quoted_and_keeps_its_octets) {
  EXPECT_EQ(norm("TXT", "hello world"), "\"hello\" \"world\"");
  EXPECT_EQ(norm("TXT", "\"v=DKIM1; k=rsa\" \"a\\\"b\\\\\""), "\"v=DKIM1; k=rsa\" \"a\\\"b\\\\\"");
  EXPECT_EQ(norm("TXT", "\"\\228\xc3\xa4\""), "\"\\228\\195\\164\"");
  EXPECT_EQ(norm("TXT", "\"\""), "\"\"");
  EXPECT_EQ(norm("TXT", "\"  two  blanks  \""), "\"  two  blanks  \"");
  EXPECT_EQ(norm("TXT", "\"" + std::string(255, 'x') + "\""), "\"" + std::string(255, 'x') + "\"");
  std::string const full = "\"" + std::string(255, 'x') + "\"";
  EXPECT_EQ(norm("TXT", "\"" + std::string(511, 'x') + "\""), full + " " + full + " \"x\"") << "cut, as PowerDNS does";
  EXPECT_EQ(norm("SPF", std::string(256, 'x')), full + " \"x\"");
  std::string escaped;
  for (int i = 0; i < 256; ++i) {
    escaped += i % 2 == 0 ? "\\255" : "\\\"";
  }
  EXPECT_EQ(norm("TXT", "\"" + escaped + "\""), "\"" + escaped.substr(0, escaped.size() - 2) + "\" \"\\\"\"");
  EXPECT_THAT(norm("TXT", "v=DKIM1; k=rsa"), HasSubstr("must stand in quotes"));
}

TEST(Rdata, unknown_types_are_generic) {
  EXPECT_EQ(norm("TYPE65280", "\\# 4 0A000001"), "\\# 4 0a000001");
  EXPECT_EQ(norm("TYPE65280", "\\# 0"), "\\# 0");
  EXPECT_EQ(norm("A", "\\# 4 0A000001"), "10.0.0.1");
  EXPECT_THAT(norm("TYPE65280", "abc"), HasSubstr("refused"));
  EXPECT_THAT(norm("A", "\\# 3 0A0000"), HasSubstr("refused"));
  EXPECT_THAT(norm("TYPE65280", "\\# 4 0A0000"), HasSubstr("refused"));
}

// PowerDNS would take their names for no type at all.
TEST(Rdata, types_that_powerdns_does_not_know_are_generic) {
  EXPECT_EQ(to_text(*parse_type("HIP")), "TYPE55");
  EXPECT_EQ(to_text(*parse_type("AMTRELAY")), "TYPE260");
  EXPECT_EQ(to_text(*parse_type("RKEY")), "RKEY");
  EXPECT_EQ(to_text(RRType{250}), "TSIG") << "messages name it";
  EXPECT_EQ(norm("PX", "10 a. B."), "\\# 8 000a016100016200") << "RFC 4034 6.2 names PX: lower case";
  EXPECT_EQ(norm("WKS", "192.0.2.1 6 25"), "\\# 9 c00002010600000040");
  EXPECT_EQ(norm("X25", "\"311061700956\""), "\\# 13 0c333131303631373030393536");
  EXPECT_EQ(norm("TA", "1 13 2 aabb"), "\\# 6 00010d02aabb");
  EXPECT_EQ(norm("RKEY", "0 3 5 AQID"), "0 3 5 AQID");
  EXPECT_EQ(norm("RRSIG", "HIP 5 3 86400 20030322173103 20030220173103 2642 example.com. AQID"),
            "TYPE55 5 3 86400 20030322173103 20030220173103 2642 example.com. AQID");
  EXPECT_EQ(norm("CSYNC", "66 3 A HIP TYPE65280 NS"), "66 3 A NS TYPE55 TYPE65280");
  EXPECT_EQ(norm("RRSIG", "TYPE57 5 3 86400 20030322173103 20030220173103 2642 example.com. AQID").substr(0, 5), "RKEY ");
}

// What RFC 4034 6.2 does not list is signed as it is written, so it has to stay so.
TEST(Rdata, letter_case_stays_where_signatures_see_it) {
  EXPECT_EQ(norm("SVCB", "1 Svc.Example.org. alpn=h2"), "1 Svc.Example.org. alpn=h2");
  EXPECT_EQ(norm("LP", "10 L64.Example.org."), "10 L64.Example.org.");
  EXPECT_EQ(norm("DNAME", "Other.Example.org."), "other.example.org.");
  EXPECT_EQ(norm("IPSECKEY", "10 3 2 Gw.Example.org. AQID"), "10 3 2 Gw.Example.org. AQID");
}

TEST(Rdata, the_private_types_of_powerdns_are_known) {
  EXPECT_EQ(norm("ALIAS", "Edge.Example.NET"), "edge.example.net.");
  EXPECT_EQ(norm("ALIAS", "edge", "x.org"), "edge.x.org.");
  EXPECT_EQ(norm("LUA", "A  \"ifportup(443, {'192.0.2.1'})\""), "A \"ifportup(443, {'192.0.2.1'})\"");
  EXPECT_THAT(norm("LUA", "A code"), HasSubstr("quoted"));
  EXPECT_THAT(norm("LUA", "NOTYPE \"x\""), HasSubstr("refused"));
}

TEST(Rdata, what_is_no_content_is_refused) {
  for (auto const& [type, content] :
       std::vector<std::pair<std::string, std::string>>{{"A", ""},
                                                        {"A", "1.2.3"},
                                                        {"A", "192.0.2.1 foo"},
                                                        {"A", "192.0.2.1 ; comment"},
                                                        {"A", "192.0.2.1\n"},
                                                        {"A", "( 192.0.2.1 )"},
                                                        {"AAAA", "192.0.2.1"},
                                                        {"MX", "mail"},
                                                        {"MX", "70000 mail"},
                                                        {"MX", "-1 mail"},
                                                        {"MX", "10 @"},
                                                        {"SRV", "1 2 65536 a."},
                                                        {"CAA", "256 issue \"x\""},
                                                        {"SOA", "a. b. 4294967296 1 1 1 1"},
                                                        {"CNAME", "a b"},
                                                        {"CNAME", "a..b"},
                                                        {"SVCB", "1 . port=70000"},
                                                        {"HTTPS", "1 . port=\"65536\""},
                                                        {"TXT", ""},
                                                        {"TXT", "\"open"},
                                                        {"TXT", "a\\"},
                                                        {"DNSKEY", "257 3 8 AwEAAa=="}}) {
    EXPECT_THAT(norm(type, content), HasSubstr("refused")) << type << " " << content;
  }
  EXPECT_EQ(normalize_content(type_any, "x").error().code, errc::bad_type);
  EXPECT_EQ(normalize_content(RRType{41}, "\\# 0").error().code, errc::bad_type);
  EXPECT_EQ(normalize_content(RRType{}, "\\# 0").error().code, errc::bad_type);
}

TEST(Rdata, normalising_twice_changes_nothing) {
  for (auto const& [type, content] : std::vector<std::pair<std::string, std::string>>{
           {"LOC", "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m"},
           {"NAPTR", "100 10 \"u\" \"E2U+sip\" \"!^.*$!sip:info@example.com!\" ."},
           {"IPSECKEY", "10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="},
           {"RRSIG", "A 5 3 86400 20030322173103 20030220173103 2642 example.com. AQID"},
           {"NSEC", "a. A MX TYPE1234"},
           {"APL", "1:192.168.32.0/21 !1:192.168.38.0/28"},
           {"HINFO", "PC Linux"},
           {"CERT", "PKIX 2 3 AQID"},
           {"URI", "10 1 \"ftp://x/y\""}}) {
    std::string const once = norm(type, content);
    EXPECT_THAT(once, testing::Not(HasSubstr("refused")));
    EXPECT_EQ(norm(type, once), once);
  }
}

TEST(Soa, the_serial_is_read_and_replaced) {
  EXPECT_EQ(soa_serial("a. b. 4294967295 1 2 3 4"), 4294967295U);
  EXPECT_EQ(with_soa_serial("a. b. 9 1 2 3 4", 10), "a. b. 10 1 2 3 4");
}

TEST(Soa, serials_compare_by_rfc_1982) {
  EXPECT_TRUE(serial_after(2, 1));
  EXPECT_TRUE(serial_after(0, 4294967295U));
  EXPECT_FALSE(serial_after(1, 1));
  EXPECT_FALSE(serial_after(1, 2));
  EXPECT_FALSE(serial_after(0x80000000U, 0));
}

// RFC 5155 appendix A: salt aabbccdd, 12 iterations.
TEST(Nsec3, hashes_are_those_of_rfc_5155_appendix_a) {
  std::string const salt("\xaa\xbb\xcc\xdd");
  for (auto const& [text, hash] :
       std::vector<std::pair<std::string, std::string>>{{"example", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"},
                                                        {"a.example", "35mthgpgcu1qg68fab165klnsnk3dpvl"},
                                                        {"ai.example", "gjeqe526plbf1g8mklp59enfd789njgi"},
                                                        {"ns1.example", "2t7b4g4vsa5smi47k61mv5bv1a22bojr"},
                                                        {"ns2.example", "q04jkcevqvmu85r014c7dkba38o0ji5r"},
                                                        {"w.example", "k8udemvp1j2f7eg6jebps17vp3n8i58h"},
                                                        {"*.w.example", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"},
                                                        {"x.w.example", "b4um86eghhds6nea196smvmlo4ors995"},
                                                        {"y.w.example", "ji6neoaepv8b5o6k4ev33abha8ht9fgc"},
                                                        {"x.y.w.example", "2vptu5timamqttgl4luu9kg21e0aor3s"},
                                                        {"xx.example", "t644ebqk9bibcna874givr6joj62mlhv"}}) {
    EXPECT_EQ(nsec3_hash(Name::parse(text).value(), salt, 12), hash) << text;
  }
}

}  // namespace
}  // namespace dns
