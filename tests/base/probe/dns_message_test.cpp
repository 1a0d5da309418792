#include "base/probe/attempt.hpp"

#include <gmock/gmock.h>

namespace probe {
namespace {

using testing::HasSubstr;
using Octets = std::vector<std::uint8_t>;

Check check(std::string qtype, std::string expected = "") {
  Check out;
  out.type = Type::dns;
  out.qname = "www.example.";
  out.qtype = std::move(qtype);
  out.expected_content = std::move(expected);
  return out;
}

// An answer to `question` with flags and answer records in wire form; records point to the name at offset 12.
Octets answer(Octets const& question, std::uint8_t flags_high, std::uint8_t rcode, std::vector<Octets> const& records) {
  Octets out(question.begin(), question.begin() + 12 + 13 + 4);
  out[2] = flags_high;
  out[3] = rcode;
  out[7] = static_cast<std::uint8_t>(records.size());
  out[11] = 0;  // the EDNS record of the question is not repeated
  for (Octets const& record : records) {
    out.insert(out.end(), record.begin(), record.end());
  }
  return out;
}

Octets record(std::uint8_t type, Octets const& rdata) {
  Octets out{0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, static_cast<std::uint8_t>(rdata.size())};
  out.insert(out.end(), rdata.begin(), rdata.end());
  return out;
}

constexpr std::uint8_t authoritative = 0x84;

TEST(DnsQuestion, CarriesNameTypeAndId) {
  Octets const question = dns_question(check("A"), 0x1234);
  ASSERT_GE(question.size(), 29U);
  EXPECT_EQ((Octets{question.begin(), question.begin() + 4}), (Octets{0x12, 0x34, 0, 0}))
      << "no recursion is asked for";
  EXPECT_EQ((Octets{question.begin() + 12, question.begin() + 29}),
            (Octets{3, 'w', 'w', 'w', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0, 0, 1, 0, 1}));
  EXPECT_EQ(question[11], 1) << "EDNS";
}

TEST(DnsQuestion, IsEmptyForWhatCannotBeAsked) {
  Check wrong = check("NOSUCHTYPE");
  EXPECT_TRUE(dns_question(wrong, 1).empty());
  wrong = check("A");
  wrong.qname = "";
  EXPECT_TRUE(dns_question(wrong, 1).empty());
  wrong.qname = std::string(64, 'a') + ".example.";
  EXPECT_TRUE(dns_question(wrong, 1).empty());
}

TEST(DnsAnswer, IsRecognisedByIdResponseBitAndQuestion) {
  Octets const question = dns_question(check("A"), 7);
  Octets const good_answer = answer(question, authoritative, 0, {});
  EXPECT_TRUE(is_answer_to(good_answer, question));
  EXPECT_FALSE(is_answer_to(question, question)) << "a query is no response";
  Octets other_id = good_answer;
  other_id[1] ^= 1;
  EXPECT_FALSE(is_answer_to(other_id, question));
  Octets other_name = good_answer;
  other_name[13] = 'x';
  EXPECT_FALSE(is_answer_to(other_name, question));
  Octets other_case = good_answer;
  other_case[13] = 'W';
  EXPECT_TRUE(is_answer_to(other_case, question));
  Octets other_type = good_answer;
  other_type[26] = 28;
  EXPECT_FALSE(is_answer_to(other_type, question));
  for (std::size_t size = 0; size < 29; ++size) {
    EXPECT_FALSE(is_answer_to(std::span(good_answer).first(size), question)) << size;
  }
  EXPECT_FALSE(is_truncated(good_answer));
  EXPECT_TRUE(is_truncated(answer(question, authoritative | 2, 0, {})));
}

TEST(DnsVerdict, WantsTheTypeAuthoritativelyAndWithoutError) {
  Octets const question = dns_question(check("A"), 7);
  Octets const address = record(1, {192, 0, 2, 1});
  EXPECT_TRUE(judge_dns_answer(check("A"), answer(question, authoritative, 0, {address})).success);
  EXPECT_THAT(judge_dns_answer(check("A"), answer(question, 0x80, 0, {address})).reason,
              HasSubstr("not authoritative"));
  EXPECT_THAT(judge_dns_answer(check("A"), answer(question, authoritative, 3, {})).reason, HasSubstr("NXDOMAIN"));
  EXPECT_THAT(judge_dns_answer(check("A"), answer(question, authoritative, 5, {})).reason, HasSubstr("REFUSED"));
  EXPECT_EQ(judge_dns_answer(check("A"), answer(question, authoritative, 0, {})).reason, "no A for www.example.");
  EXPECT_FALSE(judge_dns_answer(check("AAAA"), answer(question, authoritative, 0, {address})).success);
  EXPECT_THAT(judge_dns_answer(check("A"), Octets{1, 2, 3}).reason, HasSubstr("no DNS message"));
}

TEST(DnsVerdict, FindsTheExpectedContentAmongTheAnswersInAnyWriting) {
  Octets const question = dns_question(check("AAAA"), 7);
  Octets const one(15, 0);
  Octets first = one;
  first.push_back(1);
  Octets second = one;
  second.push_back(2);
  Octets const both = answer(question, authoritative, 0, {record(28, first), record(28, second)});
  EXPECT_TRUE(judge_dns_answer(check("AAAA", "0:0:0:0:0:0:0:2"), both).success);
  EXPECT_EQ(judge_dns_answer(check("AAAA", "::3"), both).reason, "none of the 2 AAAA records of www.example. is ::3");
  EXPECT_THAT(judge_dns_answer(check("AAAA", "192.0.2.1"), both).reason, HasSubstr("is no AAAA content"));

  Octets const pointer =
      answer(dns_question(check("PTR"), 7), authoritative, 0, {record(12, {1, 'N', 2, 'n', 's', 0})});
  EXPECT_TRUE(judge_dns_answer(check("PTR", "n.NS."), pointer).success) << "names compare without regard to case";
  Octets const words = answer(dns_question(check("TXT"), 7), authoritative, 0, {record(16, {3, 'A', ' ', 'b'})});
  EXPECT_TRUE(judge_dns_answer(check("TXT", "\"A b\""), words).success);
  EXPECT_FALSE(judge_dns_answer(check("TXT", "\"a b\""), words).success) << "text compares exactly";
}

}  // namespace
}  // namespace probe
