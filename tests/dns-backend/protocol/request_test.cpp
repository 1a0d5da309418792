#include "dns-backend/protocol/request.hpp"

#include <gtest/gtest.h>

namespace {

using remote::Method;
using remote::parse_request;

remote::Request parsed(std::string const& line) {
  return parse_request(line).value();
}

TEST(Request, ReadsALookupAsPowerDnsWritesIt) {
  auto const request = parsed(
      R"({"method": "lookup", "parameters": {"local": "0.0.0.0", "qname": "WwW.Example.ORG.", "qtype": "ANY", )"
      R"("real-remote": "0.0.0.0/0", "remote": "0.0.0.0", "zone-id": 12}})"
      "\n");
  EXPECT_EQ(request.method, Method::lookup);
  auto const& lookup = std::get<remote::Lookup>(request.body);
  EXPECT_EQ(lookup.qname, "WwW.Example.ORG.");
  EXPECT_EQ(lookup.name->text(), "www.example.org.");
  EXPECT_EQ(lookup.type, dns::type_any);
  EXPECT_EQ(lookup.zone_id, 12);
}

TEST(Request, TakesNumbersAsTextAndUnsignedMinusOne) {
  auto const id = [](std::string const& value) {
    return std::get<remote::BeforeAndAfter>(
               parsed(R"({"method":"getBeforeAndAfterNamesAbsolute","parameters":{"qname":"www.","id":)" + value + "}}").body)
        .zone_id;
  };
  EXPECT_EQ(id("5"), 5);
  EXPECT_EQ(id("\"5\""), 5);
  EXPECT_EQ(id("\"5.000000\""), 5);
  EXPECT_EQ(id("5.0"), 5);
  EXPECT_EQ(id("4294967295"), remote::any_zone);
  EXPECT_EQ(id("-1"), remote::any_zone);
}

TEST(Request, TakesBooleansAsNumbersAndText) {
  auto const key = [](std::string const& active) {
    return std::get<remote::AddKey>(parsed(R"({"method":"addDomainKey","parameters":{"name":"example.org.","key":{"flags":"257",)"
                                           R"("active":)" +
                                           active + R"(,"content":"x"}}})")
                                        .body);
  };
  EXPECT_TRUE(key("true").active);
  EXPECT_TRUE(key("1").active);
  EXPECT_TRUE(key("\"1\"").active);
  EXPECT_FALSE(key("false").active);
  EXPECT_FALSE(key("0").active);
  EXPECT_FALSE(key("\"false\"").active);
  EXPECT_EQ(key("1").flags, 257U);
  EXPECT_TRUE(key("1").published) << "absent means published";
}

TEST(Request, NamesAndTypesThatCannotExistAreNoErrorOfTheConnection) {
  std::string const label(64, 'a');
  auto const request =
      parsed(R"({"method":"lookup","parameters":{"qname":")" + label + R"(.","qtype":"NOSUCHTYPE","zone-id":-1}})");
  auto const& lookup = std::get<remote::Lookup>(request.body);
  EXPECT_FALSE(lookup.name);
  EXPECT_FALSE(lookup.type);
}

TEST(Request, ReadsRecordsOfAReplacement) {
  auto const request = parsed(
      R"({"method":"replaceRRSet","parameters":{"domain_id":-1,"qname":"a.example.org.","qtype":"A","trxid":1700000000,)"
      R"("rrset":[{"auth":true,"content":"192.0.2.1","qclass":1,"qname":"a.example.org.","qtype":"A","ttl":60}]}})");
  auto const& replacement = std::get<remote::ReplaceRRset>(request.body);
  ASSERT_EQ(replacement.records.size(), 1U);
  EXPECT_EQ(replacement.records[0].content, "192.0.2.1");
  EXPECT_EQ(replacement.records[0].ttl, 60U);
}

TEST(Request, AMethodNobodyKnowsIsUnsupportedAndNoFailure) {
  EXPECT_EQ(parsed(R"({"method":"searchComments","parameters":{"pattern":"x"}})").method, Method::unsupported);
  EXPECT_EQ(parsed(R"({"method":"getTSIGKeys"})").method, Method::get_tsig_keys);
  EXPECT_EQ(parsed(R"({"method":"getUpdatedMasters","parameters":null})").method, Method::get_updated_masters);
}

TEST(Request, EveryWireNameReadsBack) {
  for (std::size_t i = 0; i + 1 < remote::method_count; ++i) {
    EXPECT_EQ(remote::parse_method(remote::to_text(static_cast<Method>(i))), static_cast<Method>(i));
  }
  EXPECT_EQ(remote::parse_method("other"), Method::unsupported);
}

TEST(Request, WhatIsNoRequestIsRefusedWithAReason) {
  for (char const* const line :
       {"", "\n", "{", "[]", "1", "{}", R"({"method":7})", R"({"method":"lookup"})", R"({"method":"lookup","parameters":{"qname":1}})",
        R"({"method":"lookup","parameters":{"qname":"a.","qtype":"A","zone-id":"x"}})",
        R"({"method":"setDomainMetadata","parameters":{"name":"a.","kind":"K","value":"x"}})",
        R"({"method":"setDomainMetadata","parameters":{"name":"a.","kind":"K","value":[1]}})",
        R"({"method":"replaceRRSet","parameters":{"qname":"a.","qtype":"A","rrset":[7]}})",
        R"({"method":"feedRecord","parameters":{"rr":{"qname":"a.","ttl":-1}}})", R"({"method":"lookup"} x)",
        R"({"method":"setNotified","parameters":{"id":1,"serial":4294967296}})"}) {
    auto const request = parse_request(line);
    ASSERT_FALSE(request) << line;
    EXPECT_EQ(request.error().code, remote::errc::bad_request) << line;
    EXPECT_FALSE(request.error().detail.empty());
  }
}

TEST(Request, DeepNestingAndLongLinesEndInAFailure) {
  EXPECT_FALSE(parse_request(std::string(60000, '[')));
  auto const large = parse_request(std::string(remote::request_limit + 1, ' '));
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, remote::errc::too_large);
}

TEST(Request, OnlyWhatCarriesContentMayBeLong) {
  std::string names;
  for (int i = 0; i < 5000; ++i) {
    names += std::string(i == 0 ? "" : ",") + R"({"nonterm":"n)" + std::to_string(i) + R"(.example.org.","auth":true})";
  }
  std::string const ents =
      R"({"method":"feedEnts","parameters":{"domain_id":1,"nonterm":[)" + names + R"(],"trxid":1}})";
  ASSERT_GT(ents.size(), remote::request_limit);
  EXPECT_TRUE(parse_request(ents));
  std::string const lookup = R"({"method":"lookup","parameters":{"qname":"a.","qtype":"A","x":")" +
                             std::string(remote::request_limit, 'x') + R"("}})";
  auto const refused = parse_request(lookup);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, remote::errc::too_large);
  EXPECT_EQ(remote::limit_of(R"({"method": "replaceRRSet", )"), remote::content_limit);
  EXPECT_EQ(remote::limit_of(R"({"method": "lookup", "parameters": {"qname": "feedEnts)"), remote::request_limit);
}

TEST(Request, EightBitOctetsPass) {
  auto const request = parsed("{\"method\":\"setDomainMetadata\",\"parameters\":{\"name\":\"a.\",\"kind\":\"X\",\"value\":[\"\xff\"]}}");
  EXPECT_EQ(std::get<remote::Metadata>(request.body).values.at(0), "\xff");
}

}  // namespace
